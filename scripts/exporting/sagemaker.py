"""The files of Amazon SageMaker Model Monitor.

The formats are those of the pages "Data capture", "Schema for Statistics", "Schema for Constraints"
and "Schema for Violations" of https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor.html
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from scripts.exporting.columns import COLUMNS, Column
from scripts.exporting.rows import Row, Table

_VARIANT: Final = "etiquette/AllTraffic"
"""The name of the endpoint and of its variant, which begin the path of captured data."""
_TYPES: Final = {"fraction": "Fractional", "integer": "Integral", "category": "String"}
_N_BUCKETS: Final = 10
_SKETCH_SIZE: Final = 2048
_MAX_DOMAIN: Final = 20
"""A column with more values has no list of the values that are allowed."""
_MONITORING_CONFIG: Final = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 0.1,
    "domain_content_threshold": 0.1,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Simple",
    },
}
FEATURES: Final = tuple(
    column for column in COLUMNS if column.kind in _TYPES and column.role != "metadata"
)
"""What statistics and constraints are about."""


def write(table: Table, folder: Path) -> list[Path]:
    """Write the files.

    Parameters
    ----------
    table
        What to export.
    folder
        The folder for the files; it exists.

    Returns
    -------
    list of Path
        The files: captured data of the current week by hour, then the other three.
    """
    written = list(_write_captured(table.current, folder / "capture" / _VARIANT))
    statistics = dataset_statistics(table.baseline)
    constraints = suggest_constraints(table.baseline)
    contents = {
        "statistics.json": statistics,
        "constraints.json": constraints,
        "constraint_violations.json": violations(table, constraints),
    }
    for name, content in contents.items():
        path = folder / name
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def captured(row: Row) -> dict[str, Any]:
    """Return the line of captured data of one prediction."""

    def part(mode: str, role: str) -> dict[str, str]:
        values = {column.name: row[column.name] for column in COLUMNS if column.role == role}
        return {
            "observedContentType": "application/json",
            "mode": mode,
            "data": json.dumps(values, ensure_ascii=False),
            "encoding": "JSON",
        }

    return {
        "captureData": {
            "endpointInput": part("INPUT", "input"),
            "endpointOutput": part("OUTPUT", "output"),
        },
        "eventMetadata": {
            "eventId": row["prediction_id"],
            "inferenceTime": row["timestamp"][:19] + "Z",
        },
        "eventVersion": "0",
    }


def dataset_statistics(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the content of ``statistics.json``."""
    return {
        "version": 0,
        "dataset": {"item_count": len(rows)},
        "features": [_statistics(column, rows) for column in FEATURES],
    }


def suggest_constraints(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the content of ``constraints.json``: what holds for these rows."""
    features = []
    for column in FEATURES:
        present = _present(column, rows)
        feature: dict[str, Any] = {
            "name": column.name,
            "inferred_type": _TYPES[column.kind],
            "completeness": len(present) / len(rows),
        }
        if column.kind != "category":
            feature["num_constraints"] = {"is_non_negative": all(each >= 0 for each in present)}
        elif len(set(present)) <= _MAX_DOMAIN:
            feature["string_constraints"] = {"domains": sorted(set(present))}
        features.append(feature)
    return {"version": 0, "features": features, "monitoring_config": _MONITORING_CONFIG}


def violations(table: Table, constraints: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``constraint_violations.json``: what the current week violates.

    The distance of two distributions is the largest difference of their cumulative shares, or of
    the shares of a category: the method "Simple". It says nothing about chance.
    """
    return {"violations": list(_violations(table, constraints))}


def _violations(table: Table, constraints: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    limits = constraints["monitoring_config"]

    def violation(check: str, description: str) -> dict[str, str]:
        return {
            "feature_name": column.name,
            "constraint_check_type": check,
            "description": description,
        }

    for column, constraint in zip(FEATURES, constraints["features"], strict=True):
        before, now = _present(column, table.baseline), _present(column, table.current)
        completeness = len(now) / len(table.current)
        # Half of the feedback is still to come in the current week.
        if column.role != "target" and completeness < constraint["completeness"]:
            yield violation(
                "completeness_check",
                f"{completeness:.3f} of the values are present; at least "
                f"{constraint['completeness']:.3f} must be.",
            )
        domain = constraint.get("string_constraints", {}).get("domains")
        unknown = sum(each not in domain for each in now) / max(1, len(now)) if domain else 0.0
        if unknown > limits["domain_content_threshold"]:
            yield violation(
                "categorical_values_check",
                f"{unknown:.3f} of the values are not among those of the baseline.",
            )
        if before and now:
            distance = _distance(column, before, now)
            threshold = limits["distribution_constraints"]["comparison_threshold"]
            if distance > threshold:
                yield violation(
                    "baseline_drift_check",
                    f"The distance from the baseline is {distance:.3f}; the threshold is "
                    f"{threshold}.",
                )


def _write_captured(rows: Sequence[Row], folder: Path) -> Iterator[Path]:
    """Write one file for each hour, where SageMaker would write it."""
    for hour, of_hour in groupby(rows, key=lambda row: row["timestamp"][:13]):
        path = folder / hour.replace("-", "/").replace("T", "/") / "predictions.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(captured(row), ensure_ascii=False) for row in of_hour]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield path


def _present(column: Column, rows: Sequence[Row]) -> list[Any]:
    return [row[column.name] for row in rows if row[column.name] is not None]


def _statistics(column: Column, rows: Sequence[Row]) -> dict[str, Any]:
    present = _present(column, rows)
    common = {"num_present": len(present), "num_missing": len(rows) - len(present)}
    feature = {"name": column.name, "inferred_type": _TYPES[column.kind]}
    if column.kind == "category":
        counts = Counter(present)
        buckets = [{"value": value, "count": count} for value, count in counts.most_common()]
        return {
            **feature,
            "string_statistics": {
                "common": common,
                "distinct_count": len(counts),
                "distribution": {"categorical": {"buckets": buckets}},
            },
        }
    values = [float(each) for each in present]
    total = math.fsum(values)
    mean = total / len(values) if values else 0.0
    variance = math.fsum((each - mean) ** 2 for each in values) / max(1, len(values))
    return {
        **feature,
        "numerical_statistics": {
            "common": common,
            "mean": mean,
            "sum": total,
            "std_dev": math.sqrt(variance),
            "min": min(values, default=0.0),
            "max": max(values, default=0.0),
            "distribution": {
                "kll": {
                    "buckets": _buckets(values),
                    "sketch": {
                        "parameters": {"c": 0.64, "k": float(_SKETCH_SIZE)},
                        "data": sketch(values),
                    },
                }
            },
        },
    }


def _buckets(values: Sequence[float]) -> list[dict[str, float]]:
    """Count the values in ten buckets of equal width; the last one contains its upper bound."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = (high - low) / _N_BUCKETS or 1.0
    counts = Counter(min(int((each - low) / width), _N_BUCKETS - 1) for each in values)
    return [
        {
            "lower_bound": low + number * width,
            "upper_bound": low + (number + 1) * width,
            "count": float(counts[number]),
        }
        for number in range(_N_BUCKETS)
    ]


def sketch(values: Sequence[float]) -> list[list[float]]:
    """Return the levels of a KLL sketch: an item of level h stands for 2**h values.

    It is built at once instead of from a stream, so that every second value of a sorted level goes
    to the next one.

    References
    ----------
    Z. Karnin, K. Lang, E. Liberty, "Optimal Quantile Approximation in Streams", FOCS 2016.
    """
    levels: list[list[float]] = []
    level = sorted(values)
    while len(level) > _SKETCH_SIZE:
        # An odd value stays behind, so that the weights add up to the number of values.
        levels.append([level.pop()] if len(level) % 2 else [])
        level = level[len(levels) % 2 :: 2]
    return [*levels, level]


def _distance(column: Column, before: Sequence[Any], now: Sequence[Any]) -> float:
    counts_before, counts_now = Counter(before), Counter(now)
    values = sorted({*counts_before, *counts_now})
    distance = 0.0
    share_before = share_now = 0.0
    for value in values:
        if column.kind == "category":
            share_before = share_now = 0.0
        share_before += counts_before[value] / len(before)
        share_now += counts_now[value] / len(now)
        distance = max(distance, abs(share_before - share_now))
    return distance
