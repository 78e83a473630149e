"""What other drift detectors do with the same questions: Evidently, and those of river."""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from lambda_src.monitor.drift.observations import FIGURES
from lambda_src.monitor.drift.watch import LIVE_PREDICTIONS
from scripts.benchmarks.drift_pool import FEEDBACKS_AFTER, N_PERMUTED, PREDICTIONS_AFTER
from scripts.benchmarks.drift_simulation import (
    FEEDBACKS_PER_WEEK,
    PER_WEEK,
    draw,
    permuted,
)
from scripts.benchmarks.drift_traffic import Rows, Traffic
from scripts.benchmarks.paths import CACHE

PEERS_PYTHON: Final = CACHE / "drift-peers" / "bin" / "python"
_WORKER: Final = Path(__file__).with_name("drift_peer_worker.py")
_SERVICES: Final = 20
_EVIDENTLY_WEEKS: Final = 10
_FIRST_TAGS: Final = 20
"""Evidently sees so many first tags, and all others as one."""


def measure_peers(
    home: Traffic, others: Mapping[str, Traffic], n_weeks: int, seed: int
) -> list[dict[str, Any]]:
    """Run the peers, with their defaults, on changes from one site to others.

    Parameters
    ----------
    home : Traffic
        The questions before the change.
    others : mapping of str to Traffic
        The questions after each change, by the name of the site. Evidently sees the first one.
    n_weeks : int
        Quiet weeks before it.
    seed : int

    Returns
    -------
    list of dict
        See `scripts.benchmarks.drift_peer_worker`.
    """
    streams = _streams(home, others, n_weeks, np.random.default_rng([seed, 3]))
    with tempfile.TemporaryDirectory() as folder:
        given, results = Path(folder) / "streams.npz", Path(folder) / "results.json"
        np.savez(given, **streams)
        print("drift: Evidently and river", file=sys.stderr)
        subprocess.run([PEERS_PYTHON, _WORKER, given, results], check=True)
        measured: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))
    return measured


def _streams(
    home: Traffic, others: Mapping[str, Traffic], n_weeks: int, random: np.random.Generator
) -> dict[str, Any]:
    first_other = next(iter(others.values()))
    uses = Counter(tag for tags in home.final_tags for tag in tags)
    common = [tag for tag, _ in uses.most_common(N_PERMUTED)]
    confidence = FIGURES.index("top_confidence")
    jaccards, after = home.jaccards(), home.jaccards(permuted(home.final_tags, common))
    most_common = Counter(tags[0] for tags in home.tags if tags).most_common(_FIRST_TAGS)
    shown = {tag for tag, _ in most_common}

    def week(traffic: Traffic, rows: Rows) -> tuple[Any, Any]:
        first = [tags[0] if tags else "none" for tags in traffic.tags]
        tags = np.array([tag if tag in shown or tag == "none" else "other" for tag in first])
        return traffic.figures[rows], tags[rows]

    reference = week(home, draw(random, len(home), LIVE_PREDICTIONS))
    quiet = week(home, draw(random, len(home), _EVIDENTLY_WEEKS, PER_WEEK))
    changed = week(first_other, draw(random, len(first_other), _EVIDENTLY_WEEKS, PER_WEEK))
    return {
        "figure_names": np.array(FIGURES),
        "predictions_per_week": PER_WEEK,
        "feedbacks_per_week": FEEDBACKS_PER_WEEK,
        **dict(zip(("reference_figures", "reference_tags"), reference, strict=True)),
        **dict(zip(("quiet_figures", "quiet_tags"), quiet, strict=True)),
        **dict(zip(("changed_figures", "changed_tags"), changed, strict=True)),
        "top_confidence_quiet": home.figures[
            draw(random, len(home), _SERVICES, n_weeks * PER_WEEK), confidence
        ],
        **{
            f"top_confidence_after_{site}": other.figures[
                draw(random, len(other), _SERVICES, PREDICTIONS_AFTER), confidence
            ]
            for site, other in others.items()
        },
        "jaccard_quiet": jaccards[draw(random, len(home), _SERVICES, n_weeks * FEEDBACKS_PER_WEEK)],
        "jaccard_after_permuted tags": after[draw(random, len(home), _SERVICES, FEEDBACKS_AFTER)],
    }
