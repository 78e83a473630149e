"""Synthesizes the stack, once for all tests that read it."""

import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra_cdk.app import compose
from infra_cdk.runbook import WITH_EVERY_ALARM
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack


class Synthesized(NamedTuple):
    """The template of a stack, and the folder with everything that its synthesis wrote."""

    template: Template
    assembly: Path

    @classmethod
    def read(cls, assembly: Path) -> "Synthesized":
        (template,) = assembly.glob("*.template.json")
        return cls(Template.from_json(json.loads(template.read_text())), assembly)

    def resources(self, kind: str, construct: str = "") -> dict[str, dict[str, Any]]:
        """The resources of a type, by logical id, in one construct or in all of them."""
        found = self.template.find_resources(kind)
        return {name: dict(each) for name, each in found.items() if name.startswith(construct)}

    def only(self, kind: str, construct: str = "") -> dict[str, Any]:
        """The only resource of a type."""
        (resource,) = self.resources(kind, construct).values()
        return resource

    def properties(self, kind: str, construct: str = "") -> list[dict[str, Any]]:
        """The properties of each resource of a type."""
        return [dict(each["Properties"]) for each in self.resources(kind, construct).values()]

    def images(self) -> dict[str, dict[str, Any]]:
        """How each image is built, by the tag of the image."""
        (path,) = self.assembly.glob("*.assets.json")
        images = json.loads(path.read_text())["dockerImages"]
        return {tag: image["source"] for tag, image in images.items()}

    def image(self, folder: str) -> dict[str, Any]:
        """How the image of one function is built."""
        (source,) = (
            each for each in self.images().values() if each["dockerFile"] == f"{folder}/Dockerfile"
        )
        return source

    def outputs(self) -> dict[str, Any]:
        return {name: output["Value"] for name, output in self.template.find_outputs("*").items()}


Synthesize = Callable[..., Synthesized]

WITH_ADDRESS: Final = {"alarm_email": "operator@example.org"}
WITH_DOMAIN: Final = {
    "domain_name": "tags.example.org",
    "certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/0-1",
    "hosted_zone_id": "Z111122223333",
}
WITH_TOKENS: Final = {
    "auth": "jwt",
    "jwt_issuer": "https://id.example.org/pool",
    "jwt_audiences": ("web", "phone"),
}
WITH_ORIGINS: Final = {"cors_origins": ("https://example.org", "http://localhost:3000")}
WITH_CLOUDFRONT: Final = {
    "web_acl_arn": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/etiquette/0-1",
}
WITH_RETRAINING: Final = {"retraining": True, "retraining_schedule": "rate(28 days)"}
WITH_AUDIT: Final = {
    "audit_site": "cooking",
    "audit_key_parameter": "/etiquette/stack-exchange-key",
}
COMBINATIONS: Final[dict[str, dict[str, Any]]] = {
    "dev": {},
    "prod": {"environment": "prod", **WITH_ADDRESS},
    "emulator": {"environment": "emulator", **WITH_ADDRESS, "monthly_budget_usd": 20},
    "tokens": {
        "environment": "prod",
        **WITH_ADDRESS,
        **WITH_TOKENS,
        **WITH_ORIGINS,
        "open_pages": True,
    },
    "principals": {"auth": "iam", **WITH_ORIGINS, "architecture": "x86_64"},
    "cloudfront": {**WITH_CLOUDFRONT, **WITH_ORIGINS},
    "cloudfront with own name": {
        "environment": "prod",
        **WITH_ADDRESS,
        **WITH_CLOUDFRONT,
        **WITH_DOMAIN,
        "certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/0-1",
    },
    "own name": {
        "environment": "prod",
        **WITH_ADDRESS,
        **WITH_DOMAIN,
        "disable_execute_api_endpoint": True,
        "reserved_concurrency": 0,
    },
    "retraining": {**WITH_RETRAINING, "architecture": "x86_64", "archive_scoring": 3},
    "retraining in prod": {"environment": "prod", **WITH_ADDRESS, "retraining": True},
    "audit": {"audit_site": "cooking", **WITH_TOKENS},
    "audit and retraining in prod": {
        "environment": "prod",
        **WITH_ADDRESS,
        **WITH_AUDIT,
        "retraining": True,
    },
}
"""Settings that, together, cover every branch of the constructs."""


@pytest.fixture(scope="session")
def synthesize_anew(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """A function that synthesizes a stack from settings."""

    def make(environment: str = "dev", **settings: Any) -> Synthesized:
        folder = tmp_path_factory.mktemp("cdk.out")
        app, _ = app_and_stack(environment, settings, folder)
        app.synth()
        return Synthesized.read(folder)

    return make


@pytest.fixture(scope="session")
def synthesize(synthesize_anew: Synthesize, tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """A function that synthesizes a stack once for the same settings, in all test processes.

    If a setting is a file, such as another model, each call synthesizes anew.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    read = cache(Synthesized.read)

    def find_or_make(environment: str = "dev", **settings: Any) -> Synthesized:
        if any(isinstance(each, Path) for each in settings.values()):
            return synthesize_anew(environment, **settings)
        given = repr((environment, sorted(settings.items())))
        folder = shared / f"cdk.out-{hashlib.sha256(given.encode()).hexdigest()}"
        with locked(folder.with_suffix(".lock")):
            if not folder.exists():
                synthesize_anew(environment, **settings).assembly.rename(folder)
        return read(folder)

    return find_or_make


def app_and_stack(
    environment: str, settings: dict[str, Any], folder: Path
) -> tuple[App, EtiquetteStack]:
    """An app with the stack, not synthesized yet."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    return app, compose(app, ENVIRONMENTS[environment](**settings))


@pytest.fixture(scope="session")
def with_every_alarm(tmp_path_factory: pytest.TempPathFactory) -> EtiquetteStack:
    """The constructs of a stack with every alarm."""
    _, stack = app_and_stack("prod", WITH_EVERY_ALARM, tmp_path_factory.mktemp("cdk.out"))
    return stack


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let other processes wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def synthesized(synthesize: Synthesize) -> Synthesized:
    """The stack without any settings."""
    return synthesize()


@pytest.fixture(scope="session", params=COMBINATIONS)
def combination(request: pytest.FixtureRequest, synthesize: Synthesize) -> Synthesized:
    """The stack of each of the combinations."""
    return synthesize(**COMBINATIONS[request.param])


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """A file that the infrastructure accepts as the model of another release."""
    path = tmp_path / "other.safetensors"
    path.write_bytes(bundle_bytes("1900.01.01-other"))
    return path


def bundle_bytes(version: str) -> bytes:
    """The beginning of a bundle. The infrastructure reads no more of it."""
    manifest = {"version": version, "tags": [["python", 5]], "corpus": {"questions": 5}}
    header = json.dumps({"__metadata__": {"manifest": json.dumps(manifest)}}).encode()
    return struct.pack("<Q", len(header)) + header
