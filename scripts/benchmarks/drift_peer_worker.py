"""Run Evidently and river on the streams of `scripts/bench drift`, in their own environment.

Usage: python drift_peer_worker.py STREAMS.npz RESULTS.json
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from river import drift

Detector = Any
"""A detector of river: it has `update` and `drift_detected`."""

DETECTORS: Final[dict[str, tuple[Callable[[], Detector], int]]] = {
    "river ADWIN": (drift.ADWIN, 20),
    "river Page-Hinkley": (drift.PageHinkley, 20),
    # It compares two samples after every value, which takes a hundred times as long.
    "river KSWIN": (lambda: drift.KSWIN(seed=0), 2),
}
"""Each detector with its defaults, and the number of services that it watches."""


def river_results(streams: Any, name: str, per_week: int) -> list[dict[str, Any]]:
    """Run river's detectors on one figure: first on quiet weeks, then on each change."""
    quiet = streams[f"{name}_quiet"]
    changes = [each for each in streams if each.startswith(f"{name}_after_")]
    results = []
    for title, (make, n_services) in DETECTORS.items():
        started = time.perf_counter()
        false_weeks = 0
        delays: dict[str, list[int | None]] = {change: [] for change in changes}
        for service, before in enumerate(quiet[:n_services].tolist()):
            detector = make()
            false_weeks += len({step // per_week for step in alarms(detector, before)})
            for change in changes:
                after = streams[change][service].tolist()
                first = next(alarms(deepcopy(detector), after), None)
                delays[change].append(None if first is None else first + 1)
        results.append(
            {
                "name": title,
                "figure": name,
                "weeks": quiet.shape[1] // per_week * n_services,
                "false_weeks": false_weeks,
                "delays": {
                    change.removeprefix(f"{name}_after_"): found for change, found in delays.items()
                },
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
    return results


def alarms(detector: Detector, values: Iterable[float]) -> Iterator[int]:
    """Feed a detector, and give the places of the values at which it raises an alarm."""
    for place, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            yield place


def evidently_results(streams: Any) -> list[dict[str, Any]]:
    """Run Evidently's preset with its defaults on single weeks."""
    names = streams["figure_names"].tolist()
    columns = DataDefinition(numerical_columns=names, categorical_columns=["first_tag"])

    def dataset(figures: Any, tags: Any) -> Dataset:
        frame = pd.DataFrame(figures, columns=names).assign(first_tag=tags)
        return Dataset.from_pandas(frame, data_definition=columns)

    reference = dataset(streams["reference_figures"], streams["reference_tags"])
    started = time.perf_counter()
    counts = {}
    for kind in ("quiet", "changed"):
        any_column = share_of_columns = 0
        weeks = list(zip(streams[f"{kind}_figures"], streams[f"{kind}_tags"], strict=True))
        for figures, tags in weeks:
            snapshot = Report([DataDriftPreset()]).run(dataset(figures, tags), reference)
            drifted = next(
                metric["value"]
                for metric in snapshot.dict()["metrics"]
                if "DriftedColumnsCount" in str(metric.get("metric_name", metric))
            )
            any_column += drifted["count"] > 0
            share_of_columns += drifted["share"] >= 0.5
        counts[kind] = (len(weeks), int(any_column), int(share_of_columns))
    seconds = round(time.perf_counter() - started, 1)
    return [
        {
            "name": f"Evidently, {verdict}",
            "figure": "all",
            "weeks": counts["quiet"][0],
            "false_weeks": counts["quiet"][place],
            "changed_weeks": counts["changed"][0],
            "found_weeks": counts["changed"][place],
            "seconds": seconds,
        }
        for place, verdict in ((1, "any column"), (2, "half of the columns"))
    ]


def main(streams_file: Path, results_file: Path) -> None:
    """Write the results of all peers."""
    with np.load(streams_file) as stored:
        streams = dict(stored)
    results = [
        *evidently_results(streams),
        *river_results(streams, "top_confidence", int(streams["predictions_per_week"])),
        *river_results(streams, "jaccard", int(streams["feedbacks_per_week"])),
    ]
    results_file.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
