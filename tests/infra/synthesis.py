"""The synthesized stack: made once, for every test that reads it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack


class Synthesized(NamedTuple):
    """A stack as CloudFormation will read it."""

    template: Template
    assembly: Path

    def only(self, kind: str) -> dict[str, Any]:
        """The one resource of a kind."""
        (resource,) = self.template.find_resources(kind).values()
        return dict(resource)

    def outputs(self) -> dict[str, Any]:
        return {name: output["Value"] for name, output in self.template.find_outputs("*").items()}


Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Makes a stack of the settings that it is called with."""

    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def make(environment: str = "dev", **settings: Any) -> Synthesized:
        folder = tmp_path_factory.mktemp("cdk.out")
        app = App(outdir=str(folder), context=context, analytics_reporting=False)
        stack = EtiquetteStack(app, settings=ENVIRONMENTS[environment](**settings))
        return Synthesized(Template.from_stack(stack), folder)

    return make


@pytest.fixture(scope="session")
def synthesized(synthesize: Synthesize) -> Synthesized:
    """The stack as a person gets it who gives no setting at all."""
    return synthesize()


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """A file that could be another release's model, as far as the infrastructure looks."""
    path = tmp_path / "other.safetensors"
    path.write_bytes(bundle_bytes("1900.01.01-other"))
    return path


def bundle_bytes(version: str) -> bytes:
    """The head of a bundle, which is all of it that the infrastructure reads."""
    manifest = {"version": version, "tags": [["python", 5]], "corpus": {"questions": 5}}
    header = json.dumps({"__metadata__": {"manifest": json.dumps(manifest)}}).encode()
    return struct.pack("<Q", len(header)) + header
