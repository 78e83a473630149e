"""Statistics, evaluation and limits of alarms as CloudWatch documents them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.cloudwatch import evaluation
from tests.support.cloudwatch.alarms import Alarm, AlarmError, any_in_alarm
from tests.support.cloudwatch.evaluation import enough_samples
from tests.support.cloudwatch.expressions import Series
from tests.support.cloudwatch.samples import MetricId, Sample, Samples, compute
from tests.support.cloudwatch.states import State
from tests.support.cloudwatch.templates import Resolver

METRIC = MetricId("Space", "Metric", frozenset({("service", "s")}))
OTHER = MetricId("Space", "Other", frozenset())
PLAIN: Mapping[str, Any] = {
    "Namespace": "Space",
    "MetricName": "Metric",
    "Dimensions": [{"Name": "service", "Value": "s"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 10,
}


def query(name: str, metric: MetricId, stat: str = "Sum", period: int = 60) -> dict[str, Any]:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions]
    described = {"Namespace": "Space", "MetricName": metric.name, "Dimensions": dimensions}
    return {
        "Id": name,
        "ReturnData": False,
        "MetricStat": {"Metric": described, "Period": period, "Stat": stat},
    }


def math_alarm(expression: str, *queries: dict[str, Any], **changes: Any) -> Alarm:
    kept = {
        name: value
        for name, value in PLAIN.items()
        if name not in {"Namespace", "MetricName", "Dimensions", "Statistic", "Period"}
    }
    result = {"Id": "result", "Expression": expression, "ReturnData": True}
    properties = {**kept, "Metrics": [result, *queries], **changes}
    return Alarm.from_template("Alarm", properties, Resolver({}))


def alarm(**changes: Any) -> Alarm:
    return Alarm.from_template("Alarm", {**PLAIN, **changes}, Resolver({}))


def per_minute(metric: MetricId, values: Sequence[float | None]) -> list[Sample]:
    """One sample in the middle of each minute that has one."""
    return [
        Sample(metric, minute * 60 + 30, value)
        for minute, value in enumerate(values)
        if value is not None
    ]


def no_band(watch: Alarm, values: Series, width: float) -> list[Series]:
    raise AssertionError(f"{watch.name} has no band")


def states(watch: Alarm, samples: list[Sample], minutes: int) -> list[State]:
    found = evaluation.states(watch, Samples(samples), 60, minutes * 60, forecast=no_band)
    return [state for _, state in found]


OK, ALARM, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("SampleCount", 4), ("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4)],
)
def test_statistics(statistic: str, expected: float) -> None:
    assert compute(statistic, [1, 4, 2, 3]) == expected


@pytest.mark.parametrize(
    ("statistic", "expected"), [("p99", 99), ("p50", 50), ("p99.5", 100), ("p100", 100), ("p0", 1)]
)
def test_a_percentile_is_the_highest_value_of_the_rest(statistic: str, expected: float) -> None:
    """ "p99 is the maximum value of the remaining 99%":
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    assert compute(statistic, [float(number) for number in range(100, 0, -1)]) == expected


def test_negative_values_have_no_percentiles() -> None:
    with pytest.raises(ValueError, match="negative"):
        compute("p50", [-1.0, 2.0])


def test_another_dimension_is_another_metric() -> None:
    elsewhere = MetricId("Space", "Metric", frozenset({("service", "t")}))
    assert states(alarm(TreatMissingData="notBreaching"), per_minute(elsewhere, [99]), 1) == [OK]


def test_a_new_alarm_waits_for_data_and_then_compares() -> None:
    """PutMetricAlarm: "the alarm state is immediately set to INSUFFICIENT_DATA"."""
    found = states(alarm(), per_minute(METRIC, [None, 5, 11, 10]), 4)
    assert found == [NO_DATA, OK, ALARM, OK]


def test_three_of_three_as_in_the_guide_s_figure() -> None:
    """ "Evaluating an alarm": the alarm comes with the third breaching period in a row, goes with
    the first that does not breach, and one alone later does not raise it again.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    watch = alarm(Threshold=3, EvaluationPeriods=3)
    values = [1, 4, 4, 4, 5, 2, 1, 2, 4, 1]
    found = states(watch, per_minute(METRIC, values), 10)
    # (The first two minutes have fewer than three datapoints: too few breach for an alarm.)
    assert found == [OK, OK, OK, ALARM, ALARM, OK, OK, OK, OK, OK]


def test_m_out_of_n_need_not_be_in_a_row() -> None:
    watch = alarm(Threshold=3, EvaluationPeriods=4, DatapointsToAlarm=2)
    found = states(watch, per_minute(METRIC, [1, 4, 1, 4, 1, 1, 1]), 7)
    assert found == [OK, OK, OK, ALARM, ALARM, OK, OK]


@pytest.mark.parametrize(
    ("comparison", "raised_by"),
    [
        ("GreaterThanThreshold", [11]),
        ("GreaterThanOrEqualToThreshold", [10, 11]),
        ("LessThanThreshold", [9]),
        ("LessThanOrEqualToThreshold", [9, 10]),
    ],
)
def test_comparisons(comparison: str, raised_by: list[int]) -> None:
    watch = alarm(ComparisonOperator=comparison)
    values = [9, 10, 11]
    found = states(watch, per_minute(METRIC, values), 3)
    assert [v for v, state in zip(values, found, strict=True) if state is ALARM] == raised_by


def test_the_window_slides_each_minute() -> None:
    """Five minutes that begin at any minute: 6 and 6 in neighbouring clock periods are 12.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """
    values = [None, None, None, None, 6, 6, None, None, None, None, None]
    found = states(alarm(Period=300), per_minute(METRIC, values), 11)
    assert found[4:10] == [OK, ALARM, ALARM, ALARM, ALARM, OK]


def test_silence_and_the_treatment_that_makes_it_an_alarm() -> None:
    beats: list[float | None] = [1, 1, 1, None, None, None, None, None]
    silence = {"ComparisonOperator": "LessThanThreshold", "Threshold": 1, "EvaluationPeriods": 2}
    raised = {
        missing: states(alarm(**silence, TreatMissingData=missing), per_minute(METRIC, beats), 8)
        for missing in ("breaching", "notBreaching", "ignore", "missing")
    }
    assert raised["breaching"][-1] is ALARM
    assert raised["notBreaching"][-1] is OK
    assert raised["ignore"][-1] is OK  # as before
    assert raised["missing"][-1] is NO_DATA


def test_filled_silence_is_a_value_like_any_other() -> None:
    watch = math_alarm(
        "FILL(beats, 0)",
        query("beats", METRIC),
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
    )
    assert states(watch, per_minute(METRIC, [1, 1, None]), 3) == [OK, OK, ALARM]


def test_a_minimum_volume_keeps_a_quiet_night_from_alarming() -> None:
    watch = math_alarm(
        "IF(asked >= 3, answered / asked)",
        query("asked", OTHER),
        query("answered", METRIC),
        ComparisonOperator="LessThanThreshold",
        Threshold=0.5,
        TreatMissingData="notBreaching",
    )
    busy = per_minute(OTHER, [4, 4]) + per_minute(METRIC, [3, 1])
    quiet = per_minute(OTHER, [2, 2]) + per_minute(METRIC, [0, 0])
    assert states(watch, busy, 2) == [OK, ALARM]
    assert states(watch, quiet, 2) == [OK, OK]


def test_expressions_may_use_each_other() -> None:
    half = {"Id": "half", "Expression": "metric / 2", "ReturnData": False}
    watch = math_alarm("half + 1", half, query("metric", METRIC), Threshold=5)
    assert states(watch, per_minute(METRIC, [8, 10]), 2) == [OK, ALARM]


@pytest.mark.parametrize(
    ("statistic", "samples"), [("p99", 1000), ("p95", 200), ("p50", 20), ("p10", 100), ("Sum", 0)]
)
def test_how_many_samples_a_percentile_needs(statistic: str, samples: int) -> None:
    """ "fewer than 10/(1-percentile) data points", "fewer than 10/percentile" below the median:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    assert enough_samples(statistic) == samples


@pytest.mark.parametrize(("count", "state"), [(19, OK), (20, ALARM)])
@pytest.mark.parametrize("setting", ["ignore", "evaluate"])
def test_a_percentile_of_few_samples_changes_nothing_if_so_set(
    setting: str, count: int, state: State
) -> None:
    kept = {name: value for name, value in PLAIN.items() if name != "Statistic"}
    properties = {**kept, "ExtendedStatistic": "p50", "EvaluateLowSampleCountPercentile": setting}
    watch = Alarm.from_template("Alarm", properties, Resolver({}))
    first = [Sample(METRIC, 30 + second / 10, 1) for second in range(20)]
    second = [Sample(METRIC, 90 + second / 10, 99) for second in range(count)]
    assert states(watch, first + second, 2) == [OK, state if setting == "ignore" else ALARM]


@pytest.mark.parametrize(
    ("comparison", "raised_by"),
    [
        ("GreaterThanUpperThreshold", [16]),
        ("LessThanLowerThreshold", [4]),
        ("LessThanLowerOrGreaterThanUpperThreshold", [4, 16]),
    ],
)
def test_a_band_stands_in_for_the_threshold(comparison: str, raised_by: list[int]) -> None:
    """The example of an anomaly detection alarm in PutMetricAlarm:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    band = {"Id": "t1", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"}
    watched = {**query("m1", METRIC), "ReturnData": True}
    watch = Alarm.from_template(
        "Alarm",
        {
            "Metrics": [watched, band],
            "ThresholdMetricId": "t1",
            "ComparisonOperator": comparison,
            "EvaluationPeriods": 1,
        },
        Resolver({}),
    )

    def ten_and_more(watch: Alarm, values: Series, width: float) -> list[Series]:
        return [dict.fromkeys(values, 10 + 1.5 * width), dict.fromkeys(values, 10 - 1.5 * width)]

    values = [4, 10, 16]
    found = evaluation.states(
        watch, Samples(per_minute(METRIC, values)), 60, 180, forecast=ten_and_more
    )
    assert [v for v, (_, state) in zip(values, found, strict=True) if state is ALARM] == raised_by


@pytest.mark.parametrize(
    "changes",
    [
        {"Period": 45},
        {"Period": 60, "EvaluationPeriods": 1441},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Period": 86_400, "EvaluationPeriods": 8},
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 3},
        {"AlarmDescription": "x" * 1025},
        {"ComparisonOperator": "LessThanLowerThreshold"},
        {"Threshold": None},
    ],
)
def test_what_put_metric_alarm_refuses_is_refused(changes: dict[str, Any]) -> None:
    """ "Period multiplied by EvaluationPeriods can't be more than 604,800 seconds. For alarms with
    a period of less than one hour ..., the total evaluation period can't be longer than one day":
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(AlarmError):
        alarm(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"Period": 60, "EvaluationPeriods": 1440},
        {"Period": 3600, "EvaluationPeriods": 168},
        {"Period": 86_400, "EvaluationPeriods": 7},
        {"Period": 10},
    ],
)
def test_what_is_within_the_limits_is_not(changes: dict[str, Any]) -> None:
    assert alarm(**changes).period == changes["Period"]


def test_one_result_and_one_period_are_what_is_known() -> None:
    with pytest.raises(AlarmError, match="one period"):
        math_alarm("a / b", query("a", METRIC), query("b", OTHER, period=300))


def test_references_become_the_names_that_a_deployment_would_have() -> None:
    resources = {
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"FunctionName": {"Ref": "Function"}, "Name": "live"},
        }
    }
    name = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "Live"}]}]}
    resource = {"Fn::Join": ["", [name, ":live"]]}
    assert Resolver(resources).resolve(resource) == "Function:live"


@pytest.mark.parametrize(
    ("rule", "alarms"),
    [
        ('(ALARM("arn:a") OR ALARM("arn:b"))', ["arn:a", "arn:b"]),
        ("ALARM(one)", ["one"]),
    ],
)
def test_the_rule_of_a_composite_alarm_names_the_alarms_behind_it(
    rule: str, alarms: list[str]
) -> None:
    assert any_in_alarm(rule) == alarms


@pytest.mark.parametrize("rule", ["ALARM(a) AND ALARM(b)", "NOT ALARM(a)", "OK(a)", ""])
def test_another_rule_of_a_composite_alarm_is_refused(rule: str) -> None:
    with pytest.raises(AlarmError, match="not a list of ALARM"):
        any_in_alarm(rule)
