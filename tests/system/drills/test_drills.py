"""For each alarm something that raises it, and a day that raises none."""

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from lambda_src import metrics
from tests.support.cloudwatch.alarms import DAY, HOUR
from tests.support.cloudwatch.evaluation import states
from tests.support.cloudwatch.samples import Samples
from tests.support.cloudwatch.states import State
from tests.system.drills import days
from tests.system.drills.conftest import Day, Deployed
from tests.system.drills.days import CAUSE, MIDNIGHT, Cause, Recordings, Traffic
from tests.system.drills.stand_ins import measure

EXTRA_DATAPOINTS = (0, 5)
"""How far back CloudWatch looks for missing data is not published: not at all, and further than the
examples of its guide."""
ASKED = ("prediction", "cold")


class Drill(NamedTuple):
    """What goes wrong, and which alarm must say so."""

    alarm: str
    what: str
    cause: Cause
    switched_off: bool = False
    """Reserved concurrency of 0: the kill switch."""


DRILLS = [
    Drill("prediction-rate", "another language", days.instead("other language", *ASKED)),
    Drill("confidence", "subjects it never learned", days.instead("other subject", *ASKED)),
    Drill("unknown-words", "another language", days.instead("other language", *ASKED)),
    Drill("feedback-rate", "a client that sends none", days.without("feedback")),
    Drill("volume", "five times the questions", days.times(5)),
    Drill("volume", "a page nobody reaches", days.without(*ASKED, "draft", "feedback")),
    Drill("heartbeat", "silence", days.nothing()),
    Drill("heartbeat", "the kill switch", days.unchanged(), switched_off=True),
    Drill("heartbeat", "a model that is not the right one", days.all_become("not started")),
    Drill("model-latency", "a starved function", days.instead("slow", *ASKED)),
    Drill("api-latency", "one in fifty out of time", days.one_in(50, "out of time")),
    Drill("near-timeout", "a batch that is hard to parse", days.one_in(1000, "out of time")),
    Drill("server-errors", "a model that is not the right one", days.all_become("not started")),
    Drill("server-errors", "one in fifty out of time", days.one_in(50, "out of time")),
    Drill("client-errors", "a client of another release", days.instead("refused", *ASKED, "draft")),
    Drill("function-errors", "an event of another kind", days.one_in(1000, "raised")),
    Drill("function-errors", "a model that is not there", days.all_become("not started")),
    Drill("throttles", "bursts of more than the limit", days.bursts("slow", 14)),
    Drill("throttles", "the kill switch", days.unchanged(), switched_off=True),
    Drill("concurrency", "bursts of nearly the limit", days.bursts("slow", 9)),
    Drill("release-errors", "an event of another kind", days.one_in(100, "raised")),
    Drill("release-duration", "a starved version", days.one_in(5, "out of time")),
    Drill("release-answers", "a model that is not there", days.all_become("not started")),
    Drill("cold-starts", "copies that live for one request", days.instead("cold", *ASKED, "draft")),
]


AT_NIGHT = [
    Drill("prediction-rate", "another language", days.instead("other language", *ASKED)),
    Drill("confidence", "another language", days.instead("other language", *ASKED)),
    Drill("unknown-words", "another language", days.instead("other language", *ASKED)),
    Drill("feedback-rate", "no feedback", days.without("feedback")),
    Drill("model-latency", "a starved function", days.instead("slow", *ASKED)),
    Drill("api-latency", "out of time", days.instead("out of time", *ASKED)),
    Drill("client-errors", "all refused", days.instead("refused", *ASKED, "draft")),
    Drill("cold-starts", "all of them", days.instead("cold", *ASKED, "draft")),
]
"""What raises the alarm by day."""
NIGHT = (MIDNIGHT + HOUR, MIDNIGHT + 5 * HOUR)
Rehearse = Callable[[Drill, tuple[float, float], float, int], list[float]]


@pytest.fixture
def rehearse(quiet_day: Day, deployed: Deployed, recordings: Recordings) -> Rehearse:
    """Gives the minutes in which an alarm is raised when a drill's cause holds for some hours."""

    def minutes(drill: Drill, hours: tuple[float, float], until: float, extra: int) -> list[float]:
        alarm = deployed.alarms[drill.alarm]
        traffic = Traffic(recordings, random.Random(7))  # noqa: S311 (a day, not a secret)
        usual = [each for each in quiet_day.requests if hours[0] <= each.at < hours[1]]
        limit = 0 if drill.switched_off else deployed.concurrency
        measured = measure(drill.cause(traffic, usual), deployed.names, limit)
        watched = {query.metric for query in alarm.metrics.values()}
        disturbed = Samples(
            [
                *quiet_day.samples.outside(watched, *hours),
                *(sample for sample in measured if sample.metric in watched),
            ]
        )
        found = states(
            alarm, disturbed, hours[0] - HOUR, until, forecast=quiet_day.forecast, extra=extra
        )
        return [at for at, state in found if state is State.ALARM]

    return minutes


@pytest.mark.parametrize("extra", EXTRA_DATAPOINTS)
@pytest.mark.parametrize("drill", DRILLS, ids=lambda each: f"{each.alarm}: {each.what}")
def test_the_alarm_is_raised_while_it_lasts_and_no_longer(
    drill: Drill, extra: int, deployed: Deployed, rehearse: Rehearse
) -> None:
    alarm = deployed.alarms[drill.alarm]
    recovered = CAUSE[1] + (alarm.periods + extra) * alarm.period
    raised = rehearse(drill, CAUSE, recovered, extra)
    assert raised, "nobody was told"
    assert CAUSE[0] < min(raised) < CAUSE[1], "somebody was told of something else"
    assert max(raised) < recovered, "nobody was told that it is over"


@pytest.mark.parametrize("drill", AT_NIGHT, ids=lambda each: f"{each.alarm}: {each.what}")
def test_a_handful_of_odd_requests_at_night_wakes_nobody(drill: Drill, rehearse: Rehearse) -> None:
    for extra in EXTRA_DATAPOINTS:
        assert rehearse(drill, NIGHT, NIGHT[1] + HOUR, extra) == []


@pytest.mark.parametrize("extra", EXTRA_DATAPOINTS)
def test_a_quiet_day_raises_none(quiet_day: Day, deployed: Deployed, extra: int) -> None:
    raised = {}
    for entry, alarm in deployed.alarms.items():
        found = states(
            alarm,
            quiet_day.samples,
            MIDNIGHT + HOUR,
            MIDNIGHT + DAY,
            forecast=quiet_day.forecast,
            extra=extra,
        )
        raised[entry] = [(at - MIDNIGHT) / HOUR for at, state in found if state is State.ALARM]
    assert {entry: hours for entry, hours in raised.items() if hours} == {}


def test_no_alarm_lacks_a_drill(deployed: Deployed) -> None:
    assert {drill.alarm for drill in DRILLS} == set(deployed.alarms)


def test_the_image_did_what_the_drills_are_made_of(recordings: Recordings) -> None:
    """Or a drill might raise its alarm for another reason than it says."""
    statuses = {kind: {each.status for each in found} for kind, found in recordings.items()}
    assert statuses.pop("refused") == {404, 413, 422}
    assert statuses.pop("feedback") == {202}
    for failed in ("raised", "not started", "out of time"):
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
    for kind in ("draft", "refused", "heartbeat", "raised", "not started"):
        assert measured(kind) == {frozenset()}, kind
