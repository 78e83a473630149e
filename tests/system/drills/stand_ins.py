"""Replacements for the metrics and forecasts that AWS itself makes.

The services behind them cannot run here. Lambda's metrics are counted by its documentation ("Types
of metrics for Lambda functions"). API Gateway's metrics are read from access log lines in the
stack's own format, with the image's status and the time that its caller waited. How CloudWatch
forecasts is not published, so the forecast here is a simple one: a drill of a band shows only that
values far outside such a forecast raise the alarm, and that an ordinary day does not.
"""

import base64
import gzip
import heapq
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from functools import cache
from statistics import fmean, stdev
from typing import Final, NamedTuple
from unittest.mock import patch

from lambda_src.event_archive import handler as event_archive
from lambda_src.metrics import NAMESPACE
from tests.support.cloudwatch.alarms import DAY, HOUR, MINUTE, Alarm
from tests.support.cloudwatch.emf import read_log
from tests.support.cloudwatch.evaluation import Figures, Forecast
from tests.support.cloudwatch.expressions import Series
from tests.support.cloudwatch.samples import MetricId, Sample, Samples
from tests.system.drills.recordings import Invocation

FRONT_SECONDS: Final = 0.004
"""The time that API Gateway adds. No drill depends on the exact value."""
_SERVICE: Final = "etiquette-prod"
DAYS_OF_HISTORY: Final = 14
"""CloudWatch's models learn from up to two weeks of data."""


class Request(NamedTuple):
    """An invocation, at a simulated time."""

    at: float
    invocation: Invocation
    through_api: bool = True


class Names(NamedTuple):
    """The names of the deployment in the dimensions of AWS's own metrics."""

    function: str
    alias: str
    version: str
    api: str
    access_log_format: str
    function_log: str
    access_log: str
    certificate: str
    health_check: str
    retraining: str


class Outside(NamedTuple):
    """What no request changes."""

    certificate_days: int = 60
    """How long the certificate is valid."""
    reachable: bool = True
    """Whether the probe gets an answer."""
    failed_retraining: bool = False
    """Whether a run of the state machine that retrains has failed."""


def measure(requests: Iterable[Request], names: Names, concurrency: int) -> Iterator[Sample]:
    """Return what the service, Lambda and API Gateway measure.

    Parameters
    ----------
    requests
        In any order.
    names
        Used in the dimensions.
    concurrency
        How many invocations may run at once. Lambda throttles the others.
    """
    running: list[float] = []
    for at, invocation, through_api in sorted(requests, key=lambda each: each.at):
        while running and running[0] <= at:
            heapq.heappop(running)
        admitted = len(running) < concurrency
        if admitted:
            heapq.heappush(running, at + invocation.duration)
            yield from (Sample(metric, at, value) for metric, _, value in invocation.samples)
            yield from log_sizes(names, Request(at, invocation, through_api))
            yield from (
                Sample(metric, at, value) for metric, _, value in archive(invocation.events)
            )
        yield from _lambda(names, at, invocation, len(running), admitted=admitted)
        if through_api:
            yield from _api_gateway(names, at, invocation, admitted=admitted)


def log_sizes(names: Names, request: Request) -> Iterator[Sample]:
    """Return what CloudWatch Logs measures: the bytes that both log groups receive."""
    sizes = {names.function_log: request.invocation.log_bytes}
    if request.through_api:
        line = access_log_line(names.access_log_format, 200, request.invocation.waited)
        sizes[names.access_log] = len(line)
    for group, size in sizes.items():
        dimensions = frozenset({("LogGroupName", group)})
        yield Sample(MetricId("AWS/Logs", "IncomingBytes", dimensions), request.at, size)


@cache
def archive(events: tuple[str, ...]) -> tuple[Sample, ...]:
    """Return what the event archive measures about a batch of event lines.

    The handler is the real one, with a store that keeps nothing.
    """
    if not events:
        return ()
    lines = [{"timestamp": 0, "message": line} for line in events]
    batch = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": lines}).encode()
    environment = {"EVENT_STORE": "b", "METRICS_NAMESPACE": NAMESPACE, "SERVICE": _SERVICE}
    log = io.StringIO()
    with (
        patch.dict("os.environ", environment),
        patch("boto3.client", lambda _: _ForgetfulStore()),
        redirect_stdout(log),
    ):
        data = base64.b64encode(gzip.compress(batch)).decode()
        event_archive.handler({"awslogs": {"data": data}}, None)
    return tuple(read_log(log.getvalue().encode()))


class _ForgetfulStore:
    def put_object(self, **_: object) -> None:
        pass


def measure_outside(names: Names, start: float, end: float, outside: Outside) -> Iterator[Sample]:
    """Return what ACM, Route 53 and Step Functions measure.

    ACM publishes twice a day; here it publishes every hour, so that three hours have a datapoint.
    """
    certificate = frozenset({("CertificateArn", names.certificate)})
    days = MetricId("AWS/CertificateManager", "DaysToExpiry", certificate)
    check = frozenset({("HealthCheckId", names.health_check)})
    healthy = MetricId("AWS/Route53", "HealthCheckStatus", check)
    machine = frozenset({("StateMachineArn", names.retraining)})
    failed = MetricId("AWS/States", "ExecutionsFailed", machine)
    if outside.failed_retraining:
        yield Sample(failed, int(start), 1)
    for at in range(int(start), int(end), MINUTE):
        yield Sample(healthy, at, float(outside.reachable))
        if (at - int(start)) % HOUR == 0:
            yield Sample(days, at, outside.certificate_days)


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
    # Lambda counts this for the function as a whole, not by alias.
    whole = frozenset({("FunctionName", names.function)})
    yield Sample(MetricId("AWS/Lambda", "ConcurrentExecutions", whole), at, running)
    # No other function of the account runs, and none has reserved concurrency.
    claimed = MetricId("AWS/Lambda", "ClaimedAccountConcurrency", frozenset())
    yield Sample(claimed, at, running)


def _api_gateway(
    names: Names, at: float, invocation: Invocation, *, admitted: bool
) -> Iterator[Sample]:
    # If the function gave no answer or was throttled, API Gateway answers by itself.
    status = 500 if invocation.status is None or not admitted else invocation.status
    waited = invocation.waited if admitted else 0.0
    figures = read_access_log(access_log_line(names.access_log_format, status, waited))
    for name, value in figures.items():
        metric = MetricId("AWS/ApiGateway", name, frozenset({("ApiId", names.api)}))
        yield Sample(metric, at, value)


@cache
def access_log_line(form: str, status: int, waited: float) -> bytes:
    """Write a line of the access log, with the variables that are read here."""
    values = {
        "$context.status": str(status),
        "$context.responseLatency": str(round((waited + FRONT_SECONDS) * 1000)),
        "$context.integrationLatency": str(round(waited * 1000)),
    }
    return re.sub(r"\$context\.[\w.]+", lambda found: values.get(found[0], "-"), form).encode()


@cache
def read_access_log(line: bytes) -> dict[str, float]:
    """Read API Gateway's metrics of a request from its line of the access log."""
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
    """Forecast an hour from the values at the same time on the days before.

    The band is as many standard deviations of those values wide as the alarm asks for. A standard
    deviation counts as at least a twentieth of the mean.
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
