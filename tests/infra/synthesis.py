"""Synthesizes the stack, once for all tests that read it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra_cdk.app import compose
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack


class Synthesized(NamedTuple):
    """A stack, and the template that CloudFormation reads."""

    template: Template
    assembly: Path
    stack: EtiquetteStack

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
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """A function that synthesizes a stack from settings."""

    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def make(environment: str = "dev", **settings: Any) -> Synthesized:
        folder = tmp_path_factory.mktemp("cdk.out")
        app = App(outdir=str(folder), context=context, analytics_reporting=False)
        stack = compose(app, ENVIRONMENTS[environment](**settings))
        return Synthesized(Template.from_stack(stack), folder, stack)

    return make


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
