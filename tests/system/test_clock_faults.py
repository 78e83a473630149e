"""The clock of a server jumps while it answers: which events count, and for which day."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambda_src.event_archive.lines import sort_lines
from lambda_src.monitor.run import run
from lambda_src.monitor.store import FolderStore
from tests.system.server import Server

pytestmark = pytest.mark.faults

Jump = Callable[[int], None]


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Sets the clock of processes that start from now on some days ahead, at any time."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime, which moves the clock of a process, is not installed")
    offset = tmp_path / "offset"

    def jump(days: int) -> None:
        # The server may read the file at any time.
        unfinished = offset.with_suffix(".new")
        unfinished.write_text(f"{days:+}d\n")
        unfinished.replace(offset)

    jump(0)
    variables = subprocess.run(
        ["faketime", "-f", "+0d", "env"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    (library,) = (line for line in variables if line.startswith("LD_PRELOAD="))
    monkeypatch.setenv("LD_PRELOAD", library.partition("=")[2])
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    # As when a clock is set: durations do not jump.
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    return jump


@pytest.fixture
def jumping(clock: Jump, tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.stop()


def events(server: Server, begin: int) -> list[dict[str, Any]]:
    """The events in the log after the first `begin` bytes, which are the server's own."""
    return [line for line in server.lines(begin) if "event_version" in line]


def archived(events: list[dict[str, Any]], folder: Path) -> FolderStore:
    """The event store of some events, written as the deployed archive does."""
    store = FolderStore(folder)
    lines = [{"message": json.dumps(event), "timestamp": 0} for event in events]
    for key, content in sort_lines(lines).files.items():
        store.write(key, content)
    return store


def day_files(store: FolderStore, today: date) -> dict[date, dict[str, Any]]:
    outcome = run(store, today, memory_mb=256, threads=1)
    return {date.fromisoformat(day["day"]): dict(day) for day in outcome.days}


def judged(day: dict[str, Any]) -> int:
    return sum(figures["judged"] for figures in day["models"].values())


def predictions(day: dict[str, Any]) -> int:
    return sum(figures["predictions"] for figures in day["models"].values())


def test_events_count_on_the_day_that_the_clock_said(
    jumping: Server, clock: Jump, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin = jumping.logged()
    asked: dict[int, str] = {}
    for days in (0, 3, -40, 0):
        clock(days)
        response, _ = jumping.post({"text": "How do I merge two dictionaries in Python?"})
        asked[days] = response.json()["prediction_id"]

    def feedback(days: int) -> None:
        body = {"prediction_id": asked[days], "final_tags": ["python"]}
        assert jumping.client.post("/feedback", json=body).status_code == 202

    feedback(0)
    feedback(3)  # comes three days before its prediction
    feedback(-40)  # comes forty days after it
    found = events(jumping, begin)
    recorded = [each for each in found if each["event_type"] == "prediction"]
    assert len({each["prediction_id"] for each in recorded}) == 4
    assert all(0 <= each["latency_ms"] < 60_000 for each in recorded)
    today = datetime.fromisoformat(recorded[-1]["timestamp"]).astimezone(UTC).date()
    ahead, behind = today + timedelta(days=3), today - timedelta(days=40)

    store = archived(found, tmp_path_factory.mktemp("store"))
    now = day_files(store, today)
    assert {day: predictions(file) for day, file in now.items()} == {today: 2, behind: 1}
    later = day_files(store, ahead)
    assert {day: predictions(file) for day, file in later.items()} == {
        behind: 1,
        today: 2,
        ahead: 1,
    }
    # Only what lies outside of a day before and thirty days after is not joined.
    assert {day: judged(file) for day, file in later.items()} == {behind: 0, today: 1, ahead: 0}
    assert later[today]["feedback"] == {"received": 3, "without_prediction": 2}


def test_a_jump_between_a_prediction_and_its_feedback_loses_nothing(
    jumping: Server, clock: Jump, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin = jumping.logged()
    question = {"text": "How do I merge two dictionaries in Python?"}
    forwards = jumping.post(question)[0].json()["prediction_id"]
    clock(25)
    body = {"prediction_id": forwards, "final_tags": ["python"]}
    assert jumping.client.post("/feedback", json=body).status_code == 202
    clock(1)
    backwards = jumping.post(question)[0].json()["prediction_id"]
    clock(0)
    body = {"prediction_id": backwards, "final_tags": ["python"]}
    assert jumping.client.post("/feedback", json=body).status_code == 202
    found = events(jumping, begin)
    last = max(datetime.fromisoformat(each["timestamp"]) for each in found)
    store = archived(found, tmp_path_factory.mktemp("store"))
    files = day_files(store, last.astimezone(UTC).date())
    assert sum(map(judged, files.values())) == 2
