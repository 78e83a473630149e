"""Reads the embedded metric format out of a log, as CloudWatch Logs does."""

import json
import math
from collections.abc import Iterator
from typing import Any

from tests.support.cloudwatch.samples import MetricId, Sample

MAX_BYTES = 256 * 1024
_SIZES = ("", "kilo", "mega", "giga", "tera")
_AMOUNTS = [f"{size}{of}".capitalize() for size in _SIZES for of in ("bytes", "bits")]
_TIMES = ("Seconds", "Milliseconds", "Microseconds")
UNITS = {
    *_TIMES,
    *_AMOUNTS,
    *(f"{amount}/Second" for amount in (*_AMOUNTS, "Count")),
    "Count",
    "Percent",
    "None",
}


class EmfError(ValueError):
    """A line says that it is embedded metrics and is not: CloudWatch would drop it."""


def read_log(log: bytes) -> list[Sample]:
    """Read every sample of every embedded-metric line; other lines are no metrics.

    Raises
    ------
    EmfError
        A line has `_aws` and breaks the specification.
    """
    return [sample for line in log.splitlines() for sample in read_line(line)]


def read_line(line: bytes) -> Iterator[Sample]:
    """Read one line.

    References
    ----------
    "Specification: Embedded metric format",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    try:
        root = json.loads(line)
    except ValueError:
        return
    if not isinstance(root, dict) or "_aws" not in root:
        return
    if len(line) > MAX_BYTES:
        raise EmfError(f"{len(line)} bytes are more than a log event may have")
    metadata = root["_aws"]
    if not isinstance(metadata, dict) or type(metadata.get("Timestamp")) is not int:
        raise EmfError("_aws has no Timestamp in whole milliseconds")
    for directive in _list(metadata.get("CloudWatchMetrics"), "CloudWatchMetrics"):
        yield from _samples(root, directive, metadata["Timestamp"] / 1000)


def _samples(root: dict[str, Any], directive: Any, time: float) -> Iterator[Sample]:
    namespace = _name(directive.get("Namespace"), "Namespace")
    metrics = _list(directive.get("Metrics"), "Metrics", most=100)
    for names in _list(directive.get("Dimensions"), "Dimensions"):
        dimensions = frozenset(
            (name, _dimension(root, name)) for name in _list(names, "a set of dimensions", most=9)
        )
        for definition in metrics:
            name = _name(definition.get("Name"), "Name")
            unit = definition.get("Unit", "None")
            if unit not in UNITS:
                raise EmfError(f"{name} has the unit {unit!r}, which CloudWatch does not know")
            target = root.get(name)
            for value in _list(target, name, most=100) if isinstance(target, list) else [target]:
                yield Sample(MetricId(namespace, name, dimensions), time, _number(name, value))


def _list(value: Any, what: str, most: float = math.inf) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise EmfError(f"{what} is not a list of at most {most} members")
    return value


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 255:
        raise EmfError(f"{what} is {value!r}: it must be text of 1 to 255 characters")
    return value


def _dimension(root: dict[str, Any], name: Any) -> str:
    value = root.get(_name(name, "a dimension"))
    if not isinstance(value, str):
        raise EmfError(f"the dimension {name} has no text as its value")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise EmfError(f"{name} is {value!r}: it must be a number")
    return float(value)
