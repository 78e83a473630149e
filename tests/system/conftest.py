"""What the system tests share: local AWS, a server and a browser, and how processes share tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from xdist.scheduler import LoadFileScheduling

from scripts.emulator.deployment import build_image
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.tools import prepare, why_not_here
from scripts.shared import terminal
from tests.support.paths import ROOT
from tests.system.browser import chromium
from tests.system.facts import EMULATOR
from tests.system.server import Server

FOLDER = Path(__file__).parent


class _Groups(LoadFileScheduling):  # type: ignore[misc]
    """Keeps in one process what shares fixtures: the tests of a file, or of a folder.

    The groups of `--dist loadgroup` have no effect with pytest 9.2
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        return str(path if path.parent.name == FOLDER.name else path.parent)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Groups | None:
    """Use the groups with `--dist loadfile`."""
    return _Groups(config, log) if config.getvalue("dist") == "loadfile" else None


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
