"""What stands in for Lambda, API Gateway and CloudWatch's forecasts in the alarm drills."""

import json
from typing import Any

import pytest

from tests.support.cloudwatch.alarms import DAY, HOUR, Alarm
from tests.support.cloudwatch.samples import MetricId, Sample, Samples
from tests.support.cloudwatch.templates import Resolver
from tests.system.drills.recordings import Invocation
from tests.system.drills.stand_ins import (
    Names,
    Outside,
    Request,
    access_log_line,
    forecast_of,
    log_sizes,
    measure,
    measure_outside,
)

FORM = json.dumps(
    {
        "status": "$context.status",
        "path": "$context.path",
        "latencyMs": "$context.responseLatency",
        "functionLatencyMs": "$context.integrationLatency",
    }
)
NAMES = Names(
    *("function", "function:live", "7", "api", FORM, "function-log", "access-log"),
    *("cert", "check", "machine"),
)
OWN = MetricId("Own", "Predictions", frozenset())


def invocation(status: int | None = 200, duration: float = 1.0) -> Invocation:
    return Invocation("prediction", [Sample(OWN, 0, 1)], duration, duration + 0.1, status, 700)


def sums(requests: list[Request], concurrency: int = 10) -> dict[str, float]:
    """The sum of each metric, by its name."""
    found: dict[str, float] = {}
    for sample in measure(requests, NAMES, concurrency):
        if "ExecutedVersion" not in dict(sample.metric.dimensions):
            name = sample.metric.name
            found[name] = found.get(name, 0) + sample.value
    return found


def test_what_is_above_the_limit_is_refused_and_never_reaches_the_function() -> None:
    found = sums([Request(at, invocation()) for at in (0.0, 0.1, 0.2)], concurrency=2)
    assert (found["Invocations"], found["Throttles"], found["Predictions"]) == (2, 1, 2)
    assert (found["Count"], found["5xx"]) == (3, 1)


def test_a_copy_that_has_answered_takes_the_next_request() -> None:
    found = sums([Request(at, invocation()) for at in (0.0, 1.0, 2.0)], concurrency=1)
    assert (found["Invocations"], found["Throttles"]) == (3, 0)


def test_copies_that_run_at_once_are_counted() -> None:
    requests = [Request(at, invocation()) for at in (0.0, 0.5, 1.2)]
    at_once = [
        sample.value
        for sample in measure(requests, NAMES, 10)
        if sample.metric.name == "ConcurrentExecutions"
    ]
    assert at_once == [1, 2, 2]


@pytest.mark.parametrize(
    ("status", "errors", "refused", "failed"), [(200, 0, 0, 0), (422, 0, 1, 0), (None, 1, 0, 1)]
)
def test_who_is_at_fault(status: int | None, errors: int, refused: int, failed: int) -> None:
    found = sums([Request(0, invocation(status))])
    assert (found["Errors"], found["4xx"], found["5xx"]) == (errors, refused, failed)


def test_what_goes_past_the_api_is_not_counted_by_it() -> None:
    found = sums([Request(0, invocation(), through_api=False)])
    assert found["Invocations"] == 1
    assert "Count" not in found


def test_the_access_log_has_the_form_of_the_stack() -> None:
    line = json.loads(access_log_line(FORM, 404, 0.25))
    assert line["status"] == "404"
    assert line["functionLatencyMs"] == "250"
    assert int(line["latencyMs"]) > 250
    assert line["path"] == "-"


def test_both_logs_are_measured() -> None:
    sizes = {
        dict(sample.metric.dimensions)["LogGroupName"]: sample.value
        for sample in log_sizes(NAMES, Request(0, invocation()))
    }
    assert sizes["function-log"] == 700
    assert sizes["access-log"] > len("status, path, latencyMs, functionLatencyMs")


def test_what_is_wrong_outside_is_measured() -> None:
    outside = Outside(certificate_days=9, reachable=False, failed_retraining=True)
    found = {each.metric.name: each.value for each in measure_outside(NAMES, 0, 60, outside)}
    assert found == {"HealthCheckStatus": 0, "DaysToExpiry": 9, "ExecutionsFailed": 1}


def banded() -> Alarm:
    described: dict[str, Any] = {"Namespace": "Own", "MetricName": "Predictions"}
    stat = {"Metric": described, "Period": HOUR, "Stat": "Sum"}
    properties = {
        "Metrics": [
            {"Id": "m0", "MetricStat": stat},
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m0, 2)"},
        ],
        "ThresholdMetricId": "band",
        "ComparisonOperator": "LessThanLowerThreshold",
        "EvaluationPeriods": 1,
    }
    return Alarm.from_template("Alarm", properties, Resolver({}))


@pytest.mark.parametrize(("days", "known"), [(14, True), (7, True), (6, False)])
def test_a_forecast_is_what_was_at_this_time_on_enough_days_before(days: int, known: bool) -> None:
    noon = 100 * DAY + 12 * HOUR
    values = [10 + day % 3 for day in range(days)]
    at_noon = [Sample(OWN, noon - (day + 1) * DAY, v) for day, v in enumerate(values)]
    elsewhen = [Sample(OWN, each.time + 2 * HOUR, 999) for each in at_noon]
    forecast = forecast_of(Samples(at_noon + elsewhen))
    upper, lower = forecast(banded(), {noon: 11.0}, 2)
    assert (noon in upper) is known
    if known:
        assert 8 < lower[noon] < 10
        assert 12 < upper[noon] < 14
