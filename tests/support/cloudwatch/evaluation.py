"""Evaluates an alarm, minute by minute."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.support.cloudwatch.alarms import BANDED, FIXED, MINUTE, Alarm
from tests.support.cloudwatch.expressions import (
    ExpressionError,
    Series,
    Surroundings,
    Value,
    evaluate,
)
from tests.support.cloudwatch.samples import Samples, percentile_of
from tests.support.cloudwatch.states import State, judge

EXTRA_DATAPOINTS: Final = 2
"""How many periods before the evaluation periods are looked at for datapoints that are missing in
them. AWS does not publish it; its guide's examples have a range of 5 for 3 periods."""

Forecast = Callable[[Alarm, Series, float], list[Series]]
"""The upper and lower limit of a band, from the alarm, its series and the band's width."""


def states(
    alarm: Alarm,
    samples: Samples,
    start: float,
    end: float,
    *,
    forecast: Forecast,
    extra: int = EXTRA_DATAPOINTS,
) -> Iterator[tuple[float, State]]:
    """Evaluate an alarm each minute, from a state of insufficient data on.

    The window slides: periods end now, wherever the clock stands.

    References
    ----------
    "Alarm evaluation window",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
    """
    state = State.INSUFFICIENT_DATA
    for minute in range(int((end - start) // MINUTE) + 1):
        now = start + minute * MINUTE
        figures = Figures(alarm, samples, now, alarm.periods + extra)
        # "If you specify ignore, the alarm state does not change during periods with too few data
        # points to be statistically significant" (PutMetricAlarm).
        if not (alarm.ignore_few_samples and figures.few_in_the_last(alarm.periods)):
            state = judge(
                figures.breaching(forecast),
                to_alarm=alarm.to_alarm,
                periods=alarm.periods,
                missing=alarm.missing,
                before=state,
            )
        yield now, state


class Figures:
    """An alarm's metrics and expressions over some periods, the last of which ends now.

    Parameters
    ----------
    alarm, samples
        What is computed, and of what.
    now
        Seconds since 1970.
    count
        Of periods.
    """

    def __init__(self, alarm: Alarm, samples: Samples, now: float, count: int) -> None:
        self._alarm = alarm
        self._starts = tuple(now - alarm.period * back for back in range(count, 0, -1))
        self._metrics: dict[str, Series] = {name: {} for name in alarm.metrics}
        self._few: set[float] = set()
        for name, (metric, statistic) in alarm.metrics.items():
            for start in self._starts:
                found = samples.statistic(metric, statistic, start, start + alarm.period)
                if found is None:
                    continue
                self._metrics[name][start] = found.value
                if found.sample_count < enough_samples(statistic):
                    self._few.add(start)

    def few_in_the_last(self, periods: int) -> bool:
        """Whether a percentile was taken of too few samples in one of the last periods."""
        return not self._few.isdisjoint(self._starts[-periods:])

    def watched(self) -> Series:
        """Compute what the alarm compares."""
        return self._series(self._alarm.watched, _no_band)

    def breaching(self, forecast: Forecast) -> list[bool | None]:
        """Compare each period, oldest first; None where there is nothing to compare."""
        alarm, watched = self._alarm, self.watched()
        if alarm.threshold is not None:
            compare, threshold = FIXED[alarm.comparison], alarm.threshold
            return [
                compare(watched[start], threshold) if start in watched else None
                for start in self._starts
            ]
        limits = self._value(alarm.band or "", forecast)
        if not isinstance(limits, list):
            raise ExpressionError(f"{alarm.name}: {alarm.band} is no band")
        upper, lower = limits
        outside = BANDED[alarm.comparison]
        return [
            outside(watched[start], upper[start], lower[start])
            if start in watched and start in upper
            else None
            for start in self._starts
        ]

    def _series(self, name: str, forecast: Forecast) -> Series:
        value = self._value(name, forecast)
        if not isinstance(value, dict):
            raise ExpressionError(f"{self._alarm.name}: {name} is not one series")
        return value

    def _value(self, name: str, forecast: Forecast) -> Value:
        alarm = self._alarm
        if name in self._metrics:
            return self._metrics[name]
        if name not in alarm.expressions:
            raise ExpressionError(f"{alarm.name}: nothing has the id {name!r}")
        around = Surroundings(
            metrics=self._metrics,
            value_of=lambda other: self._value(other, forecast),
            times=self._starts,
            period=alarm.period,
            band=lambda of, width: forecast(alarm, self._series(of, forecast), width),
        )
        return evaluate(alarm.expressions[name], around)


def _no_band(alarm: Alarm, series: Series, width: float) -> list[Series]:
    raise ExpressionError(f"{alarm.name}: a band within an expression is not known here")


def enough_samples(statistic: str) -> float:
    """How many samples make a percentile significant.

    References
    ----------
    "Percentile-based alarms and low data samples",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    percentile = percentile_of(statistic)
    if percentile is None:
        return 0
    share = percentile / 100
    return round(10 / (1 - share if share >= 0.5 else share), 6)
