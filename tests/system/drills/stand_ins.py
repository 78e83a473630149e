"""What AWS itself would measure and forecast, made of what the running image did.

These stand in for services that can't run here. Lambda's are counted by its documentation
("Types of metrics for Lambda functions"), API Gateway's are read from lines of the access log in
the stack's own format, filled with the image's status and the time that its caller waited. How
CloudWatch forecasts is not published: the forecast here is a plain one, and a drill of a band says
only that what is far outside such a forecast raises the alarm, and an ordinary day does not.
"""

import heapq
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from statistics import fmean, stdev
from typing import Final, NamedTuple

from tests.support.cloudwatch.alarms import DAY, Alarm
from tests.support.cloudwatch.evaluation import Figures, Forecast
from tests.support.cloudwatch.expressions import Series
from tests.support.cloudwatch.samples import MetricId, Sample, Samples
from tests.system.drills.recordings import Invocation

FRONT_SECONDS: Final = 0.004
"""That API Gateway adds; nothing here depends on how much."""
DAYS_OF_HISTORY: Final = 14
"""CloudWatch's models learn from up to two weeks."""


class Request(NamedTuple):
    """An invocation, at a simulated time."""

    at: float
    invocation: Invocation
    through_api: bool = True


class Names(NamedTuple):
    """What the deployment is called in the dimensions of AWS's own metrics."""

    function: str
    alias: str
    version: str
    api: str
    access_log_format: str


def measure(requests: Iterable[Request], names: Names, concurrency: int) -> Iterator[Sample]:
    """Give what the service, Lambda and API Gateway measure of requests.

    Parameters
    ----------
    requests
        In any order.
    names
        For the dimensions.
    concurrency
        How many may run at once: Lambda refuses more ("throttles").
    """
    running: list[float] = []
    for at, invocation, through_api in sorted(requests, key=lambda each: each.at):
        while running and running[0] <= at:
            heapq.heappop(running)
        admitted = len(running) < concurrency
        if admitted:
            heapq.heappush(running, at + invocation.duration)
            yield from (Sample(metric, at, value) for metric, _, value in invocation.samples)
        yield from _lambda(names, at, invocation, len(running), admitted=admitted)
        if through_api:
            yield from _api_gateway(names, at, invocation, admitted=admitted)


def _lambda(
    names: Names, at: float, invocation: Invocation, running: int, *, admitted: bool
) -> Iterator[Sample]:
    live = frozenset({("FunctionName", names.function), ("Resource", names.alias)})
    executed = live | {("ExecutedVersion", names.version)}
    figures = {"Throttles": float(not admitted)}
    if admitted:
        figures["Invocations"] = 1
        figures["Errors"] = float(invocation.status is None)
        figures["Duration"] = invocation.duration * 1000
    for name, value in figures.items():
        yield Sample(MetricId("AWS/Lambda", name, live), at, value)
        yield Sample(MetricId("AWS/Lambda", name, executed), at, value)
    # Counted for the function as a whole, whatever it was invoked through.
    whole = frozenset({("FunctionName", names.function)})
    yield Sample(MetricId("AWS/Lambda", "ConcurrentExecutions", whole), at, running)


def _api_gateway(
    names: Names, at: float, invocation: Invocation, *, admitted: bool
) -> Iterator[Sample]:
    # Of a function that gave no answer, or was refused, API Gateway makes one of its own.
    status = 500 if invocation.status is None or not admitted else invocation.status
    waited = invocation.waited if admitted else 0.0
    figures = read_access_log(access_log_line(names.access_log_format, status, waited))
    for name, value in figures.items():
        metric = MetricId("AWS/ApiGateway", name, frozenset({("ApiId", names.api)}))
        yield Sample(metric, at, value)


@cache
def access_log_line(form: str, status: int, waited: float) -> bytes:
    """Write an access log's line: the stack's format, with the variables that are read here."""
    values = {
        "$context.status": str(status),
        "$context.responseLatency": str(round((waited + FRONT_SECONDS) * 1000)),
        "$context.integrationLatency": str(round(waited * 1000)),
    }
    return re.sub(r"\$context\.[\w.]+", lambda found: values.get(found[0], "-"), form).encode()


@cache
def read_access_log(line: bytes) -> dict[str, float]:
    """Read from an access log's line what API Gateway would measure of the request."""
    fields = json.loads(line)
    status = int(fields["status"])
    return {
        "Count": 1.0,
        "4xx": float(400 <= status < 500),
        "5xx": float(status >= 500),
        "Latency": float(fields["latencyMs"]),
        "IntegrationLatency": float(fields["functionLatencyMs"]),
    }


def forecast_of(samples: Samples) -> Forecast:
    """Expect of an hour what was measured at this time on the days before, give or take.

    The band is as many standard deviations of those days wide as the alarm says, and a day that
    was like all the others widens it by a twentieth.
    """

    known: dict[tuple[str, float], list[float]] = {}

    def before(alarm: Alarm, start: float) -> list[float]:
        key = (alarm.name, start)
        if key not in known:
            ends = [start - days * DAY + alarm.period for days in range(1, DAYS_OF_HISTORY + 1)]
            figures = [Figures(alarm, samples, end, 1).watched() for end in ends]
            known[key] = [value for series in figures for value in series.values()]
        return known[key]

    def forecast(alarm: Alarm, series: Series, width: float) -> list[Series]:
        upper, lower = {}, {}
        for start in series:
            values = before(alarm, start)
            if len(values) < DAYS_OF_HISTORY // 2:
                continue
            middle, spread = fmean(values), stdev(values)
            spread = max(spread, abs(middle) / 20)
            upper[start], lower[start] = middle + width * spread, middle - width * spread
        return [upper, lower]

    return forecast
