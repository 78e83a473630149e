"""The drills: for each alarm, at least one cause that must raise it.

This module needs no container, so that tests/infra can check that no alarm lacks a drill.
"""

from typing import Final, NamedTuple

from tests.system.drills import days
from tests.system.drills.days import Cause
from tests.system.drills.stand_ins import Outside

ASKED: Final = ("prediction", "cold")
"""The kinds of recordings that are answered predictions."""


class Drill(NamedTuple):
    """A cause, and the alarm that it must raise."""

    alarm: str
    """The anchor of the alarm's runbook entry."""
    what: str
    """The cause in words."""
    cause: Cause
    switched_off: bool = False
    """Whether reserved concurrency is 0, which is the kill switch."""
    outside: Outside = Outside()
    """What is wrong outside of the requests."""


DRILLS: Final = [
    Drill("prediction-rate", "another language", days.instead("other language", *ASKED)),
    Drill(
        "confidence",
        "subjects that the model has not learned",
        days.instead("other subject", *ASKED),
    ),
    Drill("unknown-words", "another language", days.instead("other language", *ASKED)),
    Drill("feedback-rate", "a client that sends no feedback", days.without("feedback")),
    Drill("volume", "five times the questions", days.times(5)),
    Drill("volume", "a page that nobody can reach", days.without(*ASKED, "draft", "feedback")),
    Drill("heartbeat", "no request at all", days.nothing()),
    Drill("heartbeat", "the kill switch", days.unchanged(), switched_off=True),
    Drill("heartbeat", "a wrong model", days.all_become("not started")),
    Drill(
        "model-latency", "a function with too little processor time", days.instead("slow", *ASKED)
    ),
    Drill("api-latency", "one request in fifty runs out of time", days.one_in(50, "out of time")),
    Drill(
        "api-function-time-limit",
        "a batch that is expensive to parse",
        days.one_in(1000, "out of time"),
    ),
    Drill("server-errors", "a wrong model", days.all_become("not started")),
    Drill("server-errors", "one request in fifty runs out of time", days.one_in(50, "out of time")),
    Drill(
        "client-errors", "a client with invalid requests", days.instead("refused", *ASKED, "draft")
    ),
    Drill(
        "api-function-errors",
        "one request in a thousand runs out of time",
        days.one_in(1000, "out of time"),
    ),
    Drill("api-function-errors", "a missing model", days.all_become("not started")),
    Drill("api-function-throttles", "bursts of more than the limit", days.bursts("slow", 14)),
    Drill("api-function-throttles", "the kill switch", days.unchanged(), switched_off=True),
    Drill("concurrency", "bursts of nearly the limit", days.bursts("slow", 9)),
    Drill("service-down", "the kill switch", days.unchanged(), switched_off=True),
    Drill("service-down", "a wrong model", days.all_become("not started")),
    Drill("failed-requests", "a wrong model", days.all_become("not started")),
    Drill(
        "public-probe",
        "a name that does not resolve",
        days.unchanged(),
        outside=Outside(reachable=False),
    ),
    Drill(
        "certificate-expiry",
        "a certificate that ACM cannot renew",
        days.unchanged(),
        outside=Outside(certificate_days=29),
    ),
    Drill(
        "archived-predictions",
        "a subscription that is gone",
        days.with_events(lambda _: None),
    ),
    Drill(
        "archived-predictions",
        "events of a version that the archive does not know",
        days.with_events(lambda line: line.replace('"event_version":1', '"event_version":2')),
    ),
    Drill(
        "lines-set-aside",
        "events of a version that the archive does not know",
        days.with_events(lambda line: line.replace('"event_version":1', '"event_version":2')),
    ),
    Drill("lines-set-aside", "lines that are cut", days.with_events(lambda line: line[:200])),
    Drill(
        "retraining-failed",
        "a corpus without questions",
        days.unchanged(),
        outside=Outside(failed_retraining=True),
    ),
    Drill("account-concurrency", "bursts of nearly the limit", days.bursts("slow", 9)),
    Drill("log-volume", "five times the requests", days.times(5)),
    Drill("feedback-silence", "a client that sends no feedback", days.without("feedback")),
    Drill(
        "release-failures",
        "one request in fifteen runs out of time",
        days.one_in(15, "out of time"),
    ),
    Drill("release-failures", "a version that does not start", days.all_become("not started")),
    Drill(
        "release-duration",
        "a version with too little processor time",
        days.one_in(5, "out of time"),
    ),
    Drill(
        "cold-starts", "copies that answer one request each", days.instead("cold", *ASKED, "draft")
    ),
]


AT_NIGHT: Final = [
    Drill("prediction-rate", "another language", days.instead("other language", *ASKED)),
    Drill("confidence", "another language", days.instead("other language", *ASKED)),
    Drill("unknown-words", "another language", days.instead("other language", *ASKED)),
    Drill("feedback-rate", "no feedback", days.without("feedback")),
    Drill("feedback-silence", "no feedback", days.without("feedback")),
    Drill(
        "archived-predictions",
        "a subscription that is gone",
        days.with_events(lambda _: None),
    ),
    Drill("failed-requests", "requests run out of time", days.instead("out of time", *ASKED)),
    Drill("release-failures", "requests run out of time", days.instead("out of time", *ASKED)),
    Drill(
        "model-latency", "a function with too little processor time", days.instead("slow", *ASKED)
    ),
    Drill("api-latency", "requests run out of time", days.instead("out of time", *ASKED)),
    Drill("client-errors", "all requests are refused", days.instead("refused", *ASKED, "draft")),
    Drill("cold-starts", "every start is cold", days.instead("cold", *ASKED, "draft")),
]
"""Causes that raise the alarm by day, but not in the few requests of a night."""
