"""The monitor is killed, runs twice at once, or has no room: later runs write the same files."""

import json
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from lambda_src.monitor.__main__ import main
from lambda_src.monitor.store import FolderStore
from tests.support.drift_events import MONDAY, write_days
from tests.support.monitor_processes import Kill, exit_code, start
from tests.support.small_disks import small_disk
from tests.system.faults import ALL_FAULTS

pytestmark = pytest.mark.faults

DAYS = 4
N_WRITES = 12
"""Of a first run: a compact file and a day file per day, a state, and three files of the report."""
EVERY_KILL = [
    Kill(write, moment)
    for write in range(1, N_WRITES + 1)
    for moment in ("before", "within", "after")
]
SOME_KILLS = [
    Kill(2, "within"),  # a compact file
    Kill(6, "within"),  # a day file
    Kill(9, "before"),  # between the day files and the state
    Kill(11, "after"),  # between the report and its short form
]


def files(folder: Path) -> dict[str, bytes]:
    """What a store holds, without what a process left unfinished.

    Without compact files, too: they are caches, which know the times of the event files.
    """
    keys = [key for key in FolderStore(folder).list("") if not key.startswith("compact/")]
    return {key: (folder / key).read_bytes() for key in keys}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing but events; its last day has only begun."""
    folder = tmp_path_factory.mktemp("events")
    write_days(folder, DAYS)
    _last_day(folder).write_bytes(b"".join(_last_day(folder).read_bytes().splitlines(True)[:50]))
    return folder


@pytest.fixture(scope="module")
def whole_last_day(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    write_days(folder, DAYS)
    return _last_day(folder).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(
    events: Path, whole_last_day: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, bytes]:
    """The files after a run in the middle of the last day, and another one at its end."""
    folder = _copy(events, tmp_path_factory.mktemp("undisturbed"))
    assert exit_code(start(folder, DAYS)) == 0
    _last_day(folder).write_bytes(whole_last_day)
    assert exit_code(start(folder, DAYS)) == 0
    return files(folder)


@pytest.mark.parametrize("kill", EVERY_KILL if ALL_FAULTS else SOME_KILLS, ids=str)
def test_a_monitor_that_is_killed_in_the_middle_of_a_day_loses_nothing(
    events: Path,
    whole_last_day: bytes,
    undisturbed: Mapping[str, bytes],
    tmp_path: Path,
    kill: Kill,
) -> None:
    folder = _copy(events, tmp_path)
    assert exit_code(start(folder, DAYS, kill)) == -9
    for key, content in files(folder).items():
        if key.endswith(".json"):
            json.loads(content)
    _last_day(folder).write_bytes(whole_last_day)
    assert exit_code(start(folder, DAYS)) == 0
    assert files(folder) == undisturbed


def test_monitors_at_the_same_time_lose_nothing(
    events: Path, whole_last_day: bytes, undisturbed: Mapping[str, bytes], tmp_path: Path
) -> None:
    folder = _copy(events, tmp_path)
    monitors = [start(folder, DAYS) for _ in range(2)]
    _last_day(folder).write_bytes(whole_last_day)
    monitors.append(start(folder, DAYS, Kill(3, "within")))
    monitors.append(start(folder, DAYS))
    assert [exit_code(each) for each in monitors] == [0, 0, -9, 0]
    # The slowest of them may have seen less of the last day than the others.
    assert exit_code(start(folder, DAYS)) == 0
    assert files(folder) == undisturbed


def _copy(events: Path, folder: Path) -> Path:
    shutil.copytree(events, folder, dirs_exist_ok=True)
    return folder


def _last_day(folder: Path) -> Path:
    (*_, last) = sorted((folder / "events").iterdir())
    return last / "a.jsonl"


@pytest.mark.parametrize("room", range(0, 160, 20) if ALL_FAULTS else [0, 100])
def test_a_full_disk_is_reported_and_the_next_run_writes_what_is_missing(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    elsewhere = tmp_path / "elsewhere"
    arguments = ["--day", str(MONDAY + timedelta(days=DAYS - 1))]
    assert main([str(_copy(events, elsewhere)), *arguments]) == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    needed = sum(path.stat().st_size // 4096 + 1 for path in events.rglob("*.jsonl")) * 4
    with small_disk(disk, needed + room) as small:
        _copy(events, disk)
        capsys.readouterr()
        assert main([str(disk), *arguments]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"error: {disk}: the run stopped: ")
        assert "No space left on device" in error
        assert error.count("\n") == 1
        small.enlarge()
        assert main([str(disk), *arguments]) == 0
        assert files(disk) == files(elsewhere)
