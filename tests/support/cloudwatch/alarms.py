"""Alarms as a template declares them, with what CloudWatch refuses."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tests.support.cloudwatch.samples import MetricId
from tests.support.cloudwatch.states import Missing
from tests.support.cloudwatch.templates import Resolver

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

FIXED: Final = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
BANDED: Final[Mapping[str, Callable[[float, float, float], bool]]] = {
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
        known = BANDED if self.band else FIXED
        yield self.comparison not in known, f"{self.comparison} does not fit its threshold"
        yield (self.band is None) == (self.threshold is None), "a threshold or a band, not both"
        ids = [*self.metrics, *self.expressions]
        yield not all(each[:1].islower() for each in ids), "an id begins with a lower-case letter"


def any_in_alarm(rule: str) -> list[str]:
    """Read the rule of a composite alarm that is raised while any of some alarms is.

    Returns
    -------
    list of str
        The names or ARNs of those alarms.

    Raises
    ------
    AlarmError
        The rule says something else, which this reader does not know.

    References
    ----------
    "PutCompositeAlarm",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    parts = re.split(r"\s+OR\s+", re.sub(r"^\((.*)\)$", r"\1", rule.strip()))
    found = [re.fullmatch(r'ALARM\("?([^"()]+)"?\)', each) for each in parts]
    if not all(found):
        raise AlarmError(f"the rule {rule!r} is not a list of ALARM(...) with OR")
    return [match[1] for match in found if match]


def _query(stat: Mapping[str, Any]) -> Query:
    return Query(_metric(stat["Metric"]), stat["Stat"])


def _metric(given: Mapping[str, Any]) -> MetricId:
    dimensions = frozenset((each["Name"], each["Value"]) for each in given.get("Dimensions", []))
    return MetricId(given["Namespace"], given["MetricName"], dimensions)
