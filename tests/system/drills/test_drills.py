"""Every drill raises its alarm, and an ordinary day raises none."""

import random
from collections.abc import Callable

import pytest

from lambda_src import metrics
from tests.support.cloudwatch.alarms import DAY, HOUR
from tests.support.cloudwatch.evaluation import states
from tests.support.cloudwatch.samples import Samples
from tests.support.cloudwatch.states import State
from tests.system.drills.conftest import Day, Deployed
from tests.system.drills.days import CAUSE, MIDNIGHT, Recordings, Traffic
from tests.system.drills.monitored_weeks import MONITOR_ALARMS
from tests.system.drills.stand_ins import measure, measure_outside
from tests.system.drills.table import ASKED, AT_NIGHT, DRILLS, Drill

EXTRA_DATAPOINTS = (0, 5)
"""How many datapoints further back CloudWatch looks for missing data is not published: none at
all, and more than the examples of its guide."""
NIGHT = (MIDNIGHT + HOUR, MIDNIGHT + 5 * HOUR)
Rehearse = Callable[[Drill, tuple[float, float], float, int], list[float]]


@pytest.fixture
def rehearse(quiet_day: Day, deployed: Deployed, recordings: Recordings) -> Rehearse:
    """Return a function that applies a drill and returns when its alarm is raised."""

    def minutes(drill: Drill, hours: tuple[float, float], until: float, extra: int) -> list[float]:
        alarms = deployed.alarms[drill.alarm]
        traffic = Traffic(recordings, random.Random(7))  # noqa: S311 (a day, not a secret)
        usual = [each for each in quiet_day.requests if hours[0] <= each.at < hours[1]]
        limit = 0 if drill.switched_off else deployed.concurrency
        measured = measure(drill.cause(traffic, usual), deployed.names, limit)
        outside = measure_outside(deployed.names, *hours, drill.outside)
        watched = {query.metric for alarm in alarms for query in alarm.metrics.values()}
        disturbed = Samples(
            [
                *quiet_day.samples.outside(watched, *hours),
                *(sample for sample in [*measured, *outside] if sample.metric in watched),
            ]
        )
        return sorted(
            at
            for alarm in alarms
            for at, state in states(
                alarm, disturbed, hours[0] - HOUR, until, forecast=quiet_day.forecast, extra=extra
            )
            if state is State.ALARM
        )

    return minutes


@pytest.mark.parametrize("extra", EXTRA_DATAPOINTS)
@pytest.mark.parametrize("drill", DRILLS, ids=lambda each: f"{each.alarm}: {each.what}")
def test_a_drill_raises_its_alarm_until_the_cause_ends(
    drill: Drill, extra: int, deployed: Deployed, rehearse: Rehearse
) -> None:
    alarms = deployed.alarms[drill.alarm]
    recovered = CAUSE[1] + max((each.periods + extra) * each.period for each in alarms)
    raised = rehearse(drill, CAUSE, recovered, extra)
    assert raised, "the alarm was not raised"
    assert CAUSE[0] < min(raised) < CAUSE[1], "the cause did not raise the alarm"
    assert max(raised) < recovered, "the alarm did not end after the cause had ended"


@pytest.mark.parametrize("drill", AT_NIGHT, ids=lambda each: f"{each.alarm}: {each.what}")
def test_a_few_odd_requests_at_night_raise_no_alarm(drill: Drill, rehearse: Rehearse) -> None:
    for extra in EXTRA_DATAPOINTS:
        assert rehearse(drill, NIGHT, NIGHT[1] + HOUR, extra) == []


@pytest.mark.parametrize("extra", EXTRA_DATAPOINTS)
def test_an_ordinary_day_raises_no_alarm(quiet_day: Day, deployed: Deployed, extra: int) -> None:
    raised = {}
    for entry, alarms in deployed.alarms.items():
        if entry in MONITOR_ALARMS:  # test_monitor_drills.py has quiet weeks for these
            continue
        raised[entry] = [
            (at - MIDNIGHT) / HOUR
            for alarm in alarms
            for at, state in states(
                alarm,
                quiet_day.samples,
                MIDNIGHT + HOUR,
                MIDNIGHT + DAY,
                forecast=quiet_day.forecast,
                extra=extra,
            )
            if state is State.ALARM
        ]
    assert {entry: hours for entry, hours in raised.items() if hours} == {}


def test_the_recordings_are_what_the_drills_assume(recordings: Recordings) -> None:
    """Otherwise a drill might raise its alarm for a reason other than the one it states."""
    statuses = {kind: {each.status for each in found} for kind, found in recordings.items()}
    assert statuses.pop("refused") == {404, 413, 422}
    assert statuses.pop("feedback") == {202}
    assert statuses.pop("other event") == {400}
    for failed in ("not started", "out of time"):
        assert statuses.pop(failed) == {None}
    assert set(statuses) == {
        *ASKED, "draft", "heartbeat", "slow", "other subject", "other language",
    }  # fmt: skip
    assert all(found == {200} for found in statuses.values())


def test_only_predictions_and_feedback_are_counted(recordings: Recordings) -> None:
    def measured(kind: str) -> set[frozenset[str]]:
        return {frozenset(s.metric.name for s in each.samples) for each in recordings[kind]}

    every = {frozenset(metric.name for metric in metrics.PREDICTION_METRICS)}
    for kind in (*ASKED, "slow", "other subject", "other language"):
        assert measured(kind) == every, kind
    assert measured("feedback") == {frozenset({metrics.FEEDBACKS.name})}
    for kind in ("draft", "refused", "heartbeat", "other event", "not started"):
        assert measured(kind) == {frozenset()}, kind
