"""Counts of live predictions, in the bins of the release's baseline."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lambda_src.monitor.drift.baseline import (
    MAX_FIRST_TAGS,
    MAX_TAGS,
    Baseline,
    FigureCounts,
    most_common,
)
from lambda_src.monitor.drift.observations import FIGURES, Predictions


class LiveCounts:
    """Counts of the figures and tags of some predictions.

    Parameters
    ----------
    release : Baseline
    state : mapping, optional
        What `state` gave.

    Attributes
    ----------
    n_predictions : int
    counts : dict of str to ndarray of int, shape (n_bins,)
        By the names of `FIGURES`.
    totals : ndarray of float, shape (len(FIGURES),)
        The sums of the figures.
    tags : Counter of str
        How many predictions suggested each tag.
    """

    def __init__(self, release: Baseline, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._release = release
        self.n_predictions: int = state.get("predictions", 0)
        counts = state.get("counts", {})
        self.counts = {
            name: np.array(counts.get(name, np.zeros_like(release.figures[name].counts)))
            for name in FIGURES
        }
        self.totals = np.array(state.get("totals", [0.0] * len(FIGURES)))
        self._n_quiet: int = state.get("quiet", 0)
        self._first_tags = Counter[str](state.get("first_tags", {}))
        self.tags = Counter[str](state.get("tags", {}))

    def add(self, predictions: Predictions) -> None:
        """Count more predictions."""
        self.n_predictions += len(predictions)
        for name, values in zip(FIGURES, predictions.figures.T, strict=True):
            self.counts[name] += self._release.figures[name].recounted(values).counts
        # A running sum adds in the same order, however the predictions are cut into parts.
        self.totals = np.vstack([self.totals, predictions.figures]).cumsum(axis=0)[-1]
        first = [tags[0] for tags in predictions.tags if len(tags)]
        self._n_quiet += len(predictions) - len(first)
        self._first_tags.update(first)
        self.tags.update(tag for tags in predictions.tags for tag in tags)

    def as_baseline(self) -> Baseline:
        """Make a baseline; what cannot be counted here is that of the release."""
        figures = {
            name: FigureCounts(self._release.figures[name].edges, self.counts[name], total)
            for name, total in zip(FIGURES, self.totals.tolist(), strict=True)
        }
        return replace(
            self._release,
            n_predictions=self.n_predictions,
            figures=figures,
            n_quiet=self._n_quiet,
            first_tags=most_common(self._first_tags, MAX_FIRST_TAGS),
            tags=most_common(self.tags, MAX_TAGS),
        )

    def state(self) -> dict[str, Any]:
        """Give the counts as values that JSON has."""
        return {
            "predictions": self.n_predictions,
            "counts": {name: counts.tolist() for name, counts in self.counts.items()},
            "totals": self.totals.tolist(),
            "quiet": self._n_quiet,
            "first_tags": dict(self._first_tags),
            "tags": dict(self.tags),
        }
