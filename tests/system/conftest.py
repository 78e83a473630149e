"""What the system tests share: local AWS with its deployments, a server and a browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from safetensors import safe_open
from safetensors.numpy import save_file

from scripts.emulator.deployment import Deployment, build_images, deploy
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.tools import prepare, why_not_here
from scripts.shared import terminal
from tests.support.paths import STARTER
from tests.system.browser import chromium
from tests.system.facts import Release
from tests.system.server import Server

SECOND_VERSION = "2000.01.01-second"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the duration of each step."""
    if terminal.timings:
        terminalreporter.section("local AWS")
        for what, seconds in terminal.timings:
            terminalreporter.write_line(f"{seconds:7.1f} s  {what}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process with the starter model."""
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """Local AWS, empty at first."""
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
    with terminal.step("Building the images for the tests of an image alone"):
        return build_images(aws)["api"]


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
