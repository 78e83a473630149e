"""The monitor's drills: weeks of the running image's own event lines go through the monitor.

The image wrote the events, the monitor that is deployed reads them and writes its metrics, and the
alarms come from the synthesized template. Time is simulated: the events get other times, and what
the monitor publishes after a day is published every hour of the next day, too.
"""

import io
import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambda_src.monitor.detectors import Release
from lambda_src.monitor.publish import publish
from lambda_src.monitor.run import run
from lambda_src.monitor.store import FolderStore
from model_build.questions import Question
from scripts.emulator.local_aws import LocalAws
from tests.support.cloudwatch.alarms import DAY, HOUR, Alarm
from tests.support.cloudwatch.emf import read_log
from tests.support.cloudwatch.evaluation import states
from tests.support.cloudwatch.expressions import Series
from tests.support.cloudwatch.samples import Sample, Samples
from tests.support.cloudwatch.states import State
from tests.system.containers import RunningFunction, running
from tests.system.drills.conftest import MODEL, MOUNT, NAMED, OTHER_LANGUAGES, SERVICE, Deployed
from tests.system.drills.monitored_weeks import (
    DAYS,
    FLOOD,
    MONDAY,
    MONITOR_ALARMS,
    MONITOR_DRILLS,
    QUIET,
    QUIET_DAYS,
    Answered,
    MonitorDrill,
    Recorded,
    release_of,
    write_days,
)
from tests.system.drills.recordings import questions

N_QUESTIONS = 60
QUIET_RUNS = (6, 9, QUIET_DAYS - 1)
"""The days after which the monitor runs while all is well. A window has seven days."""
CAUSE_RUNS = (QUIET_DAYS + 2, QUIET_DAYS + 6, DAYS - 1)
FIGURES_NEED_DATA = sorted(MONITOR_ALARMS - {"monitor-silent", "audit-silent"})


@pytest.fixture(scope="module")
def recorded(aws: LocalAws, image: str, samples: list[Question]) -> Recorded:
    """The event lines that the running image wrote about questions and their feedback."""
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({"title": each.title, "body": each.body}, list(each.tags[:5]))
        for each in samples[:N_QUESTIONS]
    ]
    foreign = [(body, ["cooking"]) for body in OTHER_LANGUAGES]
    with running(aws, image, *MOUNT, *MODEL, *NAMED) as function:
        return {
            "sample": [_answered(function, *each) for each in asked],
            "other language": [_answered(function, *each) for each in foreign],
        }


def _answered(function: RunningFunction, body: dict[str, Any], final_tags: list[str]) -> Answered:
    (asked,) = questions([body])
    answer = json.loads(json.loads(function.invoke(asked).body)["body"])
    feedback = {"prediction_id": answer["prediction_id"], "final_tags": final_tags}
    (sent,) = questions([feedback], "/feedback")
    function.invoke(sent)
    lines = [json.loads(line) for line in function.log().splitlines() if b'"event_type"' in line]
    own = [line for line in lines if line.get("prediction_id") == answer["prediction_id"]]
    by_type = {line["event_type"]: line for line in own}
    return Answered(by_type["prediction"], by_type["feedback"])


@pytest.fixture(scope="module")
def release(recorded: Recorded) -> Release:
    return release_of(recorded)


class Weeks:
    """An event store and what the monitor published about it."""

    def __init__(self, folder: Path, release: Release, published: Sequence[Sample] = ()) -> None:
        self.folder = folder
        self.published = list(published)
        self._release = release

    def with_cause(self, folder: Path, recorded: Recorded, drill: MonitorDrill) -> "Weeks":
        """Copy these weeks into a folder, and let the cause of a drill follow them."""
        weeks = Weeks(folder, self._release, self.published)
        shutil.copytree(self.folder, folder)
        write_days(folder, recorded, drill.traffic, QUIET_DAYS, DAYS)
        weeks.run(CAUSE_RUNS)
        return weeks

    def run(self, days: Sequence[int]) -> None:
        """Run the monitor after some days; its figures stay until its next run."""
        for number, day in enumerate(days):
            output = io.StringIO()
            with redirect_stdout(output):
                outcome = run(
                    FolderStore(self.folder),
                    MONDAY + timedelta(days=day),
                    release=self._release,
                    memory_mb=256,
                    threads=2,
                )
                publish(outcome, SERVICE)
            until = days[number + 1] if number + 1 < len(days) else day + 1
            for hour in range(24 * (until - day)):
                at = end_of(day) + hour * HOUR
                self.published += [
                    Sample(metric, at, value)
                    for metric, _, value in read_log(output.getvalue().encode())
                ]

    def states(self, alarm: Alarm, days: Sequence[int]) -> set[State]:
        """The states of an alarm from the second hour after the first of some days' runs on."""
        start, end = end_of(days[0]) + 2 * HOUR, end_of(days[-1]) + DAY
        found = states(alarm, Samples(self.published), start, end, forecast=_no_forecast)
        return {state for _, state in found}


def end_of(day: int) -> float:
    """The first second after a day."""
    date = MONDAY + timedelta(days=day + 1)
    return datetime(date.year, date.month, date.day, tzinfo=UTC).timestamp()


def _no_forecast(alarm: Alarm, series: Series, width: float) -> list[Series]:
    raise AssertionError(f"{alarm.name} has a band")


@pytest.fixture(scope="module")
def quiet(recorded: Recorded, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    """Two weeks in which nothing is wrong."""
    weeks = Weeks(tmp_path_factory.mktemp("quiet"), release)
    write_days(weeks.folder, recorded, QUIET, 0, QUIET_DAYS)
    weeks.run(QUIET_RUNS)
    return weeks


@pytest.fixture
def alarms(deployed: Deployed) -> dict[str, Alarm]:
    """The monitor's alarms by the anchors of their entries."""
    return {name: deployed.alarms[name][0] for name in MONITOR_ALARMS}


@pytest.mark.parametrize("drill", MONITOR_DRILLS, ids=lambda each: each.what)
def test_a_cause_raises_its_alarms(
    drill: MonitorDrill,
    quiet: Weeks,
    recorded: Recorded,
    alarms: dict[str, Alarm],
    tmp_path: Path,
) -> None:
    weeks = quiet.with_cause(tmp_path / "weeks", recorded, drill)
    raised = {name for name in alarms if State.ALARM in weeks.states(alarms[name], CAUSE_RUNS)}
    assert raised >= drill.alarms
    assert raised == drill.alarms or not drill.no_others


def test_a_changed_mix_of_subjects_raises_no_alarm_about_quality(
    quiet: Weeks, recorded: Recorded, alarms: dict[str, Alarm], tmp_path: Path
) -> None:
    (drill,) = (each for each in MONITOR_DRILLS if "label-shift" in each.alarms)
    weeks = quiet.with_cause(tmp_path / "weeks", recorded, drill)
    raised = {name for name in alarms if State.ALARM in weeks.states(alarms[name], CAUSE_RUNS)}
    assert raised <= {"label-shift", "slow-drift", "data-drift"}


def test_a_flood_of_an_identified_caller_is_cut_to_its_share(
    quiet: Weeks, recorded: Recorded, alarms: dict[str, Alarm], tmp_path: Path
) -> None:
    known = replace(FLOOD, identified=True)
    drill = MonitorDrill("the flood, with identified callers", known, frozenset())
    weeks = quiet.with_cause(tmp_path / "weeks", recorded, drill)
    raised = {name for name in alarms if State.ALARM in weeks.states(alarms[name], CAUSE_RUNS)}
    assert raised == set()


def test_quiet_weeks_raise_no_alarm(quiet: Weeks, alarms: dict[str, Alarm]) -> None:
    found = {name: quiet.states(alarm, QUIET_RUNS) for name, alarm in alarms.items()}
    assert {name for name, of_one in found.items() if State.ALARM in of_one} == set()
    # The weekly tests of a figure need a whole week after their baseline.
    waiting = {name for name, of_one in found.items() if of_one == {State.INSUFFICIENT_DATA}}
    assert waiting == {"label-shift", "slow-drift"}


def test_alarms_without_enough_data_say_so(
    recorded: Recorded, release: Release, alarms: dict[str, Alarm], tmp_path: Path
) -> None:
    weeks = Weeks(tmp_path, release)
    write_days(weeks.folder, recorded, QUIET, 0, 1)
    for path in weeks.folder.rglob("*.jsonl"):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:15]))
    weeks.run([0])
    for name in FIGURES_NEED_DATA:
        assert weeks.states(alarms[name], [0]) == {State.INSUFFICIENT_DATA}, name
    assert State.ALARM not in weeks.states(alarms["monitor-silent"], [0])


def test_a_monitor_that_does_not_run_is_noticed(quiet: Weeks, alarms: dict[str, Alarm]) -> None:
    last = quiet.published[-1].time
    samples = Samples(quiet.published)
    alarm = alarms["monitor-silent"]
    found = dict(states(alarm, samples, last, last + DAY, forecast=_no_forecast))
    assert found[last] is State.OK
    assert found[last + DAY] is State.ALARM
