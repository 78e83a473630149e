"""Run Evidently and river on the streams of `scripts/bench drift`, in their own environment.

Usage: python drift_peer_worker.py STREAMS.npz RESULTS.json
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
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


def watch(
    make: Callable[[], Detector], quiet: Iterable[Iterable[float]], after: Iterable[Iterable[float]]
) -> Iterator[tuple[list[int], int | None]]:
    """Give for each service the steps with an alarm before the change, and the delay after it."""
    for before, changed in zip(quiet, after, strict=True):
        detector = make()
        alarms = []
        for step, value in enumerate(before):
            detector.update(value)
            if detector.drift_detected:
                alarms.append(step)
        delay = None
        for step, value in enumerate(changed, start=1):
            detector.update(value)
            if detector.drift_detected:
                delay = step
                break
        yield alarms, delay


def river_results(streams: Any, name: str, per_week: int) -> list[dict[str, Any]]:
    """Run river's detectors on one figure."""
    results = []
    quiet, after = streams[f"{name}_quiet"], streams[f"{name}_after"]
    n_weeks = quiet.shape[1] // per_week
    for title, (make, n_services) in DETECTORS.items():
        started = time.perf_counter()
        found = list(watch(make, quiet[:n_services].tolist(), after[:n_services].tolist()))
        false_weeks = sum(len({step // per_week for step in alarms}) for alarms, _ in found)
        results.append(
            {
                "name": title,
                "figure": name,
                "weeks": n_weeks * len(found),
                "false_weeks": false_weeks,
                "delays": [delay for _, delay in found],
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
    return results


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
    with np.load(streams_file) as streams:
        results = [
            *evidently_results(streams),
            *river_results(streams, "top_confidence", int(streams["predictions_per_week"])),
            *river_results(streams, "jaccard", int(streams["feedbacks_per_week"])),
        ]
    results_file.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
