"""The deployment, in the states that its tests go through."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from scripts.emulator.deployment import Deployment, deploy
from scripts.emulator.local_aws import LocalAws
from tests.support.paths import STARTER
from tests.system.facts import Release

SECOND_VERSION = "2000.01.01-second"


@pytest.fixture(scope="session")
def first_release(aws: LocalAws) -> Release:
    """The first deployment, into the empty account."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def repeated_release(aws: LocalAws, first_release: Release) -> Release:
    """A second deployment of the same model."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter bundle with another version, and therefore another digest."""
    path = tmp_path_factory.mktemp("models") / "second.safetensors"
    return another_version(STARTER, path, SECOND_VERSION)


def another_version(model: Path, path: Path, version: str) -> Path:
    """Copy a bundle and change its version."""
    with safe_open(model, framework="numpy") as bundle:
        manifest = json.loads(bundle.metadata()["manifest"])
        arrays = {name: bundle.get_tensor(name) for name in bundle.keys()}  # noqa: SIM118
    manifest["version"] = version
    save_file(arrays, path, {"manifest": json.dumps(manifest)})
    return path


@pytest.fixture(scope="session")
def second_release(aws: LocalAws, repeated_release: Release, second_model: Path) -> Release:
    """A deployment of another model after the first."""
    return Release.read(deploy(aws, model=second_model))


@pytest.fixture(scope="session")
def deployment(first_release: Release) -> Deployment:
    """The deployed API, with whatever release is live."""
    return first_release.deployment
