"""A local AWS and what is deployed to it, started once for all system tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from scripts.emulator import console
from scripts.emulator.deployment import Deployment, build_images, deploy
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.tools import prepare, why_not_here
from tests.conftest import STARTER
from tests.system.facts import Release

SECOND_VERSION = "2000.01.01-second"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what each step took, as `scripts/local_aws` does."""
    if console.timings:
        terminalreporter.section("local AWS")
        for what, seconds in console.timings:
            terminalreporter.write_line(f"{seconds:7.1f} s  {what}")


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """An AWS with nothing in it."""
    prepare()
    reason = why_not_here()
    if reason is not None:
        pytest.skip(reason)
    started = LocalAws.start("tests")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def image(aws: LocalAws) -> str:
    """The name of the API function's image."""
    with console.step("Building the images for the tests of an image alone"):
        return build_images(aws)["api"]


@pytest.fixture(scope="session")
def first_release(aws: LocalAws) -> Release:
    """What the first deployment into the empty account made."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def repeated_release(aws: LocalAws, first_release: Release) -> Release:
    """The same model deployed once more."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter under another version, which is enough for another digest."""
    path = tmp_path_factory.mktemp("models") / "second.safetensors"
    return another_version(STARTER, path, SECOND_VERSION)


def another_version(model: Path, path: Path, version: str) -> Path:
    """Copy a bundle under another version."""
    with safe_open(model, framework="numpy") as bundle:
        manifest = json.loads(bundle.metadata()["manifest"])
        arrays = {name: bundle.get_tensor(name) for name in bundle.keys()}  # noqa: SIM118
    manifest["version"] = version
    save_file(arrays, path, {"manifest": json.dumps(manifest)})
    return path


@pytest.fixture(scope="session")
def second_release(aws: LocalAws, repeated_release: Release, second_model: Path) -> Release:
    """Another model deployed over the first."""
    return Release.read(deploy(aws, model=second_model))


@pytest.fixture(scope="session")
def deployment(first_release: Release) -> Deployment:
    """The API, whichever release is live."""
    return first_release.deployment
