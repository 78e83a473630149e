"""Metric math as its page in the guide documents it, with that page's own examples.

"Using metric math",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import pytest

from tests.support.cloudwatch.expressions import (
    ExpressionError,
    Series,
    Surroundings,
    Value,
    evaluate,
)

Row = list[float | None]
TIMES = tuple(float(number) for number in range(5))


def series(values: Row) -> Series:
    return {time: float(v) for time, v in zip(TIMES, values, strict=False) if v is not None}


def math(expression: str, **rows: Row) -> Value:
    metrics = {name: series(values) for name, values in rows.items()}
    around = Surroundings(
        metrics=metrics,
        value_of=metrics.__getitem__,
        times=TIMES,
        period=60,
        band=lambda name, width: [
            {time: value + width for time, value in metrics[name].items()},
            {time: value - width for time, value in metrics[name].items()},
        ],
    )
    return evaluate(expression, around)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(metric1 < metric2)", [0, 0, 1, 0]),
        ("(metric1 >= 30)", [1, 0, 0, 0]),
        ("(metric1 > 15 AND metric2 > 15)", [1, 0, 0, 0]),
        ("(metric1 > 15 && metric2 > 15)", [1, 0, 0, 0]),
        ("(metric1 > 25 OR metric2 > 15)", [1, 0, 1, 0]),
    ],
)
def test_comparison_and_logical_operators(expression: str, expected: Row) -> None:
    """ "Comparison and logical operators": the table."""
    found = math(expression, metric1=[30, 20, 0, 0], metric2=[20, None, 20, None])
    assert found == series(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1, metric2)", [30, 0, None, None, None]),
    ],
)
def test_if(expression: str, expected: Row) -> None:
    """ "Using IF expressions": the three tables, and what is dropped without an else."""
    found = math(
        expression,
        metric1=[1, 1, 0, 0, None],
        metric2=[30, None, 0, 0, 30],
        metric3=[0, 0, 20, None, 20],
    )
    assert found == series(expected)


def test_arithmetic_takes_missing_values_as_zero_and_drops_divisions_by_zero() -> None:
    """ "Basic arithmetic functions"."""
    rows: dict[str, Row] = {"a": [6, None, 3, 4, None], "b": [2, 2, None, 0, None]}
    assert math("a + b", **rows) == series([8, 2, 3, 4, None])
    assert math("a / b", **rows) == series([3, 0, None, None, None])
    assert math("100 * a / b", **rows) == series([300, 0, None, None, None])
    assert math("-a", **rows) == series([-6, None, -3, -4, None])
    assert math("1 - a / b", **rows) == series([-2, 1, None, None, None])


def test_operators_bind_as_in_arithmetic() -> None:
    a: Row = [2]
    assert math("a + 2 * 3 ^ 2", a=a) == series([20])
    assert math("(a + 2) * 3", a=a) == series([12])
    assert math("a - 1 - 1", a=a) == series([0])
    assert math("a + 1 > 2 AND a < 3", a=a) == series([1])


def test_fill_fills_what_is_missing_of_one_series_or_of_all() -> None:
    assert math("FILL(a, 7)", a=[1, None, 3, None, None]) == series([1, 7, 3, 7, 7])
    assert math("FILL(METRICS(), 0)", a=[1], b=[]) == [series([1, 0, 0, 0, 0]), series([0] * 5)]


def test_metrics_are_all_or_those_with_a_text_in_their_id() -> None:
    """ "The METRICS() function"."""
    rows: dict[str, Row] = {"errors4": [1, 2], "errors5": [3, None], "requests": [10, 10]}
    assert math("SUM(METRICS())", **rows) == series([14, 12])
    assert math('SUM(METRICS("errors")) / requests', **rows) == series([0.4, 0.2])


def test_the_period_is_a_number() -> None:
    assert math("a / PERIOD(a)", a=[120]) == series([2])


def test_a_band_is_two_series_of_a_metric_and_a_width_that_is_two_by_default() -> None:
    assert math("ANOMALY_DETECTION_BAND(a)", a=[5]) == [series([7]), series([3])]
    assert math("ANOMALY_DETECTION_BAND(a, 4)", a=[5]) == [series([9]), series([1])]


@pytest.mark.parametrize(
    "expression",
    ["RATE(a)", "a +", "a ? b", "(a", "a b", "FILL(a, REPEAT)", "SUM(a)", "IF(1, 2, 3)"],
)
def test_what_is_not_known_is_refused_and_never_guessed(expression: str) -> None:
    with pytest.raises((ExpressionError, KeyError)):
        math(expression, a=[1])
