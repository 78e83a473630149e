"""Alarms as a template declares them, evaluated minute by minute."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tests.cloudwatch.expressions import ExpressionError, Series, Surroundings, Value, evaluate
from tests.cloudwatch.samples import MetricId, Samples, percentile_of
from tests.cloudwatch.states import Missing, State, judge
from tests.cloudwatch.templates import Resolver

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
EXTRA_DATAPOINTS: Final = 2
"""How many periods before the evaluation periods are looked at for datapoints that are missing in
them. AWS does not publish it; its guide's examples have a range of 5 for 3 periods."""

Forecast = Callable[[str, Series, float], list[Series]]
"""The upper and lower limit of a band, from the alarm's name, its series and the band's width."""

_FIXED: Final = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_BANDED: Final[Mapping[str, Callable[[float, float, float], bool]]] = {
    "GreaterThanUpperThreshold": lambda value, upper, _: value > upper,
    "LessThanLowerThreshold": lambda value, _, lower: value < lower,
    "LessThanLowerOrGreaterThanUpperThreshold": lambda value, upper, lower: (
        value > upper or value < lower
    ),
}


class AlarmError(ValueError):
    """CloudWatch would refuse the alarm, or this evaluator does not know what is in it."""


class Query(NamedTuple):
    """One metric of an alarm."""

    metric: MetricId
    statistic: str


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A metric alarm."""

    name: str
    description: str
    metrics: Mapping[str, Query]
    expressions: Mapping[str, str]
    watched: str
    """The id of what is compared: a metric or an expression."""
    comparison: str
    threshold: float | None
    band: str | None
    """The id of the anomaly detection band that stands in for a threshold."""
    period: int
    periods: int
    to_alarm: int
    missing: Missing
    ignore_few_samples: bool

    def __post_init__(self) -> None:
        for wrong, reason in self._faults():
            if wrong:
                raise AlarmError(f"{self.name}: {reason}")

    @classmethod
    def from_template(cls, name: str, properties: Mapping[str, Any], resolver: Resolver) -> "Alarm":
        """Read an `AWS::CloudWatch::Alarm`.

        Raises
        ------
        AlarmError
            CloudWatch would refuse it.
        """
        given = resolver.resolve(properties)
        if "Metrics" in given:
            queries = [each for each in given["Metrics"] if "MetricStat" in each]
            metrics = {each["Id"]: _query(each["MetricStat"]) for each in queries}
            spans = {each["MetricStat"]["Period"] for each in queries}
            expressions = {e["Id"]: e["Expression"] for e in given["Metrics"] if "Expression" in e}
            returned = [each["Id"] for each in given["Metrics"] if each.get("ReturnData", True)]
            band = given.get("ThresholdMetricId")
            watched = [each for each in returned if each != band]
            if len(watched) != 1 or len(spans) != 1:
                raise AlarmError(f"{name}: one result and one period are what is known here")
            (period,), (result,) = spans, watched
        else:
            statistic = given.get("Statistic") or given["ExtendedStatistic"]
            metrics = {"m": Query(_metric(given), statistic)}
            expressions, result, band, period = {}, "m", None, given["Period"]
        return cls(
            name=name,
            description=given.get("AlarmDescription", ""),
            metrics=metrics,
            expressions=expressions,
            watched=result,
            comparison=given["ComparisonOperator"],
            threshold=given.get("Threshold"),
            band=band,
            period=int(period),
            periods=given["EvaluationPeriods"],
            to_alarm=given.get("DatapointsToAlarm", given["EvaluationPeriods"]),
            missing=Missing(given.get("TreatMissingData", "missing")),
            ignore_few_samples=given.get("EvaluateLowSampleCountPercentile") == "ignore",
        )

    def _faults(self) -> Iterator[tuple[bool, str]]:
        """What PutMetricAlarm refuses.

        References
        ----------
        "PutMetricAlarm",
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        """
        span = self.period * self.periods
        yield (
            self.period not in {10, 20, 30} and (self.period < MINUTE or self.period % MINUTE != 0),
            "a period is 10, 20 or 30 seconds or whole minutes",
        )
        yield span > 7 * DAY, "its periods span more than seven days"
        yield (
            self.period < HOUR and span > DAY,
            "its periods, shorter than an hour, span more than a day",
        )
        yield not 1 <= self.to_alarm <= self.periods, "datapoints to alarm are 1 to the periods"
        yield len(self.metrics) > 10, "an alarm has at most ten metrics"
        yield len(self.description) > 1024, "a description has at most 1024 characters"
        known = _BANDED if self.band else _FIXED
        yield self.comparison not in known, f"{self.comparison} does not fit its threshold"
        yield (self.band is None) == (self.threshold is None), "a threshold or a band, not both"
        ids = [*self.metrics, *self.expressions]
        yield not all(each[:1].islower() for each in ids), "an id begins with a lower-case letter"

    def datapoints(self, samples: Samples, now: float, band: Forecast, extra: int) -> "Datapoints":
        """Compute the datapoints of the evaluation range that ends now.

        The window slides: periods end now, wherever the clock stands.

        References
        ----------
        "Alarm evaluation window",
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
        """
        count = self.periods + extra
        starts = tuple(now - self.period * back for back in range(count, 0, -1))
        few = set()
        metrics: dict[str, Series] = {}
        for name, (metric, statistic) in self.metrics.items():
            metrics[name] = {}
            for start in starts:
                found = samples.statistic(metric, statistic, start, start + self.period)
                if found is None:
                    continue
                metrics[name][start] = found.value
                if found.sample_count < enough_samples(statistic):
                    few.add(start)

        def value_of(name: str) -> Value:
            if name in metrics:
                return metrics[name]
            if name not in self.expressions:
                raise ExpressionError(f"{self.name}: no metric or expression has the id {name!r}")
            return evaluate(self.expressions[name], around)

        def series_of(name: str) -> Series:
            value = value_of(name)
            if not isinstance(value, dict):
                raise ExpressionError(f"{self.name}: {name} is not one series")
            return value

        around = Surroundings(
            metrics=metrics,
            value_of=value_of,
            times=starts,
            period=self.period,
            band=lambda name, width: band(self.name, series_of(name), width),
        )
        watched = series_of(self.watched)
        limits = value_of(self.band) if self.band else []
        if not isinstance(limits, list):
            raise ExpressionError(f"{self.name}: {self.band} is no band")
        breaches = [self._breaches(watched.get(start), start, limits) for start in starts]
        return Datapoints(breaches, [start in few for start in starts])

    def _breaches(self, value: float | None, start: float, limits: list[Series]) -> bool | None:
        if value is None:
            return None
        if self.threshold is not None:
            return bool(_FIXED[self.comparison](value, self.threshold))
        upper, lower = limits
        if start not in upper:
            return None
        return _BANDED[self.comparison](value, upper[start], lower[start])

    def states(
        self,
        samples: Samples,
        start: float,
        end: float,
        *,
        band: Forecast,
        extra: int = EXTRA_DATAPOINTS,
    ) -> Iterator[tuple[float, State]]:
        """Evaluate the alarm each minute, from a state of insufficient data on."""
        state = State.INSUFFICIENT_DATA
        for minute in range(int((end - start) // MINUTE) + 1):
            now = start + minute * MINUTE
            found = self.datapoints(samples, now, band, extra)
            # "If you specify ignore, the alarm state does not change during periods with too few
            # data points to be statistically significant."
            if not (self.ignore_few_samples and any(found.few[-self.periods :])):
                state = judge(
                    found.breaching,
                    to_alarm=self.to_alarm,
                    periods=self.periods,
                    missing=self.missing,
                    before=state,
                )
            yield now, state


class Datapoints(NamedTuple):
    """The evaluation range of an alarm, oldest period first."""

    breaching: list[bool | None]
    few: list[bool]
    """Whether a percentile was taken of too few samples."""


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


def _query(stat: Mapping[str, Any]) -> Query:
    return Query(_metric(stat["Metric"]), stat["Stat"])


def _metric(given: Mapping[str, Any]) -> MetricId:
    dimensions = frozenset((each["Name"], each["Value"]) for each in given.get("Dimensions", []))
    return MetricId(given["Namespace"], given["MetricName"], dimensions)
