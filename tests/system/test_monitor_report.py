"""The report and the exports that a person makes on a laptop, and the report in a real browser."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lambda_src.tagger import TagModel
from model_build.questions import Question
from tests.support.events import EventLog
from tests.support.paths import ROOT
from tests.system.browser import Visit

LAST = datetime(2026, 11, 26, 12, tzinfo=UTC)
PER_DAY = 30


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, starter: TagModel, samples: list[Question]
) -> Path:
    """Thirty days of the service's own events, with feedback for every second question."""
    folder = tmp_path_factory.mktemp("store")
    log = EventLog(starter)
    for number in range(30 * PER_DAY):
        time = LAST - timedelta(days=29 - number // PER_DAY, minutes=number % PER_DAY)
        question = samples[number % len(samples)]
        identifier = log.predict(time, question.title, question.body)
        if number % 2:
            tags = [*question.tags, "a-new-tag"] if number % 20 == 1 else question.tags
            log.feedback(time + timedelta(minutes=5), identifier, final_tags=tags)
    log.write(folder)
    return folder


@pytest.fixture(scope="module")
def printed(store: Path) -> str:
    return run("scripts/monitor_report", store)


def test_the_command_prints_the_health_line_and_where_the_report_is(
    store: Path, printed: str
) -> None:
    health, path = printed.splitlines()
    short = json.loads((store / "reports/latest.json").read_text())
    assert health == f"{short['health']} State: {short['state']}."
    assert short["day"] == "2026-11-26"
    assert short["figures"]["sample_jaccard"]["state"] == "measured"
    assert Path(path) == store / "reports/latest.html"
    assert Path(path).read_bytes() == (store / "reports/2026-11-26.html").read_bytes()


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_its_screen_and_requests_nothing(
    store: Path, browser: Browser, width: int, scheme: str
) -> None:
    visit = Visit(browser, viewport={"width": width, "height": 800}, color_scheme=scheme)
    address = (store / "reports/latest.html").as_uri()
    visit.page.goto(address)
    assert visit.complaints == []
    assert visit.requests == [address]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    # The style is in force: its hash is the one that the page's policy allows.
    assert visit.page.evaluate("getComputedStyle(document.querySelector('.tile')).padding") != "0px"
    visit.page.get_by_text("As a table").first.click()
    assert visit.page.get_by_role("rowheader", name="2026-11-26").first.is_visible()
    assert visit.page.get_by_text("a-new-tag").first.is_visible()
    assert visit.page.get_by_role("img").count() >= 4
    visit.context.close()


@pytest.mark.parametrize(
    ("tool", "files"),
    [
        ("sagemaker", ["statistics.json", "constraints.json", "constraint_violations.json"]),
        ("fiddler", ["model.json", "baseline.csv", "events.csv"]),
        ("evidently", ["reference.csv", "current.csv"]),
    ],
)
def test_events_are_exported(store: Path, tmp_path: Path, tool: str, files: list[str]) -> None:
    printed = run("scripts/export_events", "--to", tool, store, "--out", tmp_path)
    assert printed.startswith(f"{7 * PER_DAY} predictions, and {23 * PER_DAY} of the baseline")
    assert [name for name in files if not (tmp_path / name).stat().st_size] == []


def test_evidently_adds_its_own_report(store: Path) -> None:
    run("scripts/monitor_report", store, "--evidently")
    assert "top_confidence" in (store / "reports/evidently.html").read_text(encoding="utf-8")


def test_a_folder_without_events_gets_a_message_of_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        ["scripts/monitor_report", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "There are no events" in line
