"""What was measured, and its statistics over periods."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil
from statistics import fmean
from typing import Final, NamedTuple

_SIMPLE: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "SampleCount": len,
    "Sum": sum,
    "Average": fmean,
    "Minimum": min,
    "Maximum": max,
}


class MetricId(NamedTuple):
    """A metric: another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


class Sample(NamedTuple):
    """One measured value."""

    metric: MetricId
    time: float
    """Seconds since 1970."""
    value: float


class Statistic(NamedTuple):
    """A metric's value over one period."""

    value: float
    sample_count: int


class Samples:
    """Everything measured, by metric and in order of time.

    Parameters
    ----------
    samples
        In any order.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        by_metric: dict[MetricId, list[tuple[float, float]]] = defaultdict(list)
        for metric, time, value in samples:
            by_metric[metric].append((time, value))
        self._times: dict[MetricId, list[float]] = {}
        self._values: dict[MetricId, list[float]] = {}
        for metric, pairs in by_metric.items():
            pairs.sort()
            self._times[metric] = [time for time, _ in pairs]
            self._values[metric] = [value for _, value in pairs]
        self._known: dict[tuple[MetricId, str, float, float], Statistic | None] = {}

    def outside(self, metrics: Iterable[MetricId], start: float, end: float) -> Iterator[Sample]:
        """Give the samples of some metrics, without those from `start` to before `end`."""
        for metric in metrics:
            pairs = zip(self._times.get(metric, []), self._values.get(metric, []), strict=True)
            for time, value in pairs:
                if not start <= time < end:
                    yield Sample(metric, time, value)

    def __contains__(self, metric: MetricId) -> bool:
        return metric in self._times

    def statistic(self, metric: MetricId, name: str, start: float, end: float) -> Statistic | None:
        """Compute a statistic over the samples from `start` to before `end`; None without any."""
        key = (metric, name, start, end)
        if key not in self._known:
            times = self._times.get(metric, [])
            first, last = bisect_left(times, start), bisect_left(times, end)
            values = self._values[metric][first:last] if last > first else []
            self._known[key] = Statistic(compute(name, values), len(values)) if values else None
        return self._known[key]


def percentile_of(name: str) -> float | None:
    """The percentile that a statistic's name asks for, such as 99.0 for `p99`; None if none."""
    digits = name.removeprefix("p")
    if digits == name or not digits.replace(".", "", 1).isdigit():
        return None
    return float(digits)


def compute(name: str, values: list[float]) -> float:
    """Compute a statistic of at least one value.

    The guide says of percentiles that p99 "is the maximum value of the remaining 99%" after the
    highest hundredth is set aside: the nearest rank, without interpolation. How CloudWatch
    approximates that over many values is not documented.

    References
    ----------
    "CloudWatch statistics definitions",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    if name in _SIMPLE:
        return _SIMPLE[name](values)
    percentile = percentile_of(name)
    if percentile is None:
        raise ValueError(f"the statistic {name!r} is not known here")
    if min(values) < 0:
        raise ValueError("CloudWatch has no percentiles of metrics with negative values")
    ordered = sorted(values)
    return ordered[max(ceil(len(ordered) * percentile / 100) - 1, 0)]
