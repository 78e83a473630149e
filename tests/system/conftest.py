"""What the system tests share: local AWS with its deployments, a server and a browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from safetensors import safe_open
from safetensors.numpy import save_file
from xdist.scheduler import LoadFileScheduling

from scripts.emulator.deployment import Deployment, build_image, deploy
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.tools import prepare, why_not_here
from scripts.shared import terminal
from tests.support.paths import ROOT, STARTER
from tests.system.browser import chromium
from tests.system.facts import EMULATOR, Release
from tests.system.server import Server

SECOND_VERSION = "2000.01.01-second"


ONE_DEPLOYMENT = {f"test_{name}.py" for name in ("event_store", "release", "rollout", "verify")}
"""The files whose tests use the same deployment, one after the other."""


class _Groups(LoadFileScheduling):  # type: ignore[misc]
    """Keeps in one process what shares fixtures: the tests of a file, and of `ONE_DEPLOYMENT`.

    The groups of `--dist loadgroup` have no effect with pytest 9.2
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        return "one deployment" if path.name in ONE_DEPLOYMENT else str(path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Groups | None:
    """Use the groups with `--dist loadfile`."""
    return _Groups(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that would deploy into an account of its own what others have deployed."""
    for item in items:
        uses_it = "first_release" in getattr(item, "fixturenames", ())
        if uses_it and item.path.name not in ONE_DEPLOYMENT:
            raise pytest.UsageError(f"{item.path.name} uses a deployment: add it to ONE_DEPLOYMENT")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the duration of each step to the process that prints the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["timings"] = terminal.timings


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the durations of a process that has ended."""
    terminal.timings += getattr(node, "workeroutput", {}).get("timings", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the duration of each step."""
    if terminal.timings:
        terminalreporter.section("local AWS")
        for what, seconds in terminal.timings:
            terminalreporter.write_line(f"{seconds:7.1f} s  {what}")


@pytest.fixture(scope="session", autouse=True)
def _without_rules_for_templates() -> Iterator[None]:
    """Leave out the CDK's own rules for templates, which tests/infra applies to every template.

    The CDK loads them for five seconds in each synthesis.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        yield


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
    started = LocalAws.start(EMULATOR)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def image(aws: LocalAws) -> str:
    """The name of the API function's image."""
    with terminal.step("Building the image for the tests of it alone"):
        folder = ROOT / "lambda_src" / "api"
        return build_image(aws.engine, aws.state.base_image, folder, aws.name)


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
