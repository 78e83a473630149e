"""Sudden drift of the questions: an e-detector on the bins of each figure.

The null hypothesis is that no bin has a larger share of the predictions than an upper bound. The
bound ``u[b]`` is the Clopper-Pearson bound of the share that the baseline shows (Clopper and
Pearson 1934, "The use of confidence or fiducial limits"), with some tolerance. The share itself
would not do: it is a little too small for about half of the bins, and evidence against it grows
for ever although nothing changes.

For a prediction in bin ``b``, ``e = 1 - l + l c[b] / u[b]`` is an e-value, where ``c`` are the
recent shares of the bins: if each bin has a probability ``p[b] <= u[b]``, the expectation of
``c[b] / u[b]`` is at most ``sum(c) = 1``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from lambda_src.monitor.drift.baseline import Baseline, Counts
from lambda_src.monitor.drift.evidence import WeeklyLimit, add_evidence
from lambda_src.monitor.drift.observations import FIGURES, Floats, Predictions

FIRST_TAG: Final = "first_tag"
STREAMS: Final = (*FIGURES, FIRST_TAG)
"""What the detector watches, in the order of its columns."""
TOLERANCE: Final = 1.1
"""A share may grow by this factor beyond its bound before it counts as changed."""
_BOUND_LEVEL: Final = 0.999
_MIN_SHARE: Final = 0.05
"""Bins of a figure are joined until each has this share of the baseline."""
_TAG_BINS: Final = 20
_BETS: Final = np.array([0.1, 0.3, 0.7])
"""The values of ``l``."""
_MEMORIES: Final = np.array([30.0, 150.0])
"""The recent shares are exponentially weighted over about so many predictions."""
MIN_PREDICTIONS_PER_WEEK: Final = 2_000

Bins = npt.NDArray[np.intp]


def share_bounds(counts: Counts) -> Floats:
    """Give an upper bound of the share of each bin, at most 1.

    Parameters
    ----------
    counts : ndarray of int, shape (n_bins,)
        How many observations of the baseline each bin holds.
    """
    total = counts.sum()
    others = total - counts
    # The quantile does not exist for a bin that holds everything: its share may be anything.
    bounds = betaincinv(counts + 1.0, np.maximum(others, 1), _BOUND_LEVEL)
    shares: Floats = np.where(others > 0, np.minimum(1.0, TOLERANCE * bounds), 1.0)
    return shares


class Reference:
    """The bins of a baseline, all streams one after the other.

    Attributes
    ----------
    shares, bounds : ndarray of float, shape (n_bins,)
        The share of each bin in the baseline, and its upper bound.
    """

    def __init__(self, baseline: Baseline) -> None:
        self._figures = [baseline.figures[name] for name in FIGURES]
        self._joined: list[Bins] = []
        counts: list[Counts] = []
        n_bins = 0
        for figure in self._figures:
            joined = join_bins(figure.counts)
            self._joined.append(joined + n_bins)
            counts.append(np.bincount(joined, figure.counts).astype(np.int64))
            n_bins += len(counts[-1])
        tags = list(baseline.first_tags)[:_TAG_BINS]
        self._quiet, self._other = n_bins, n_bins + 1
        self._tags = {tag: n_bins + 2 + place for place, tag in enumerate(tags)}
        of_tags = [baseline.first_tags[tag] for tag in tags]
        other = baseline.n_predictions - baseline.n_quiet - sum(of_tags)
        counts.append(np.array([baseline.n_quiet, other, *of_tags], dtype=np.int64))
        self.shares = np.concatenate(counts) / baseline.n_predictions
        self.bounds = np.concatenate([share_bounds(each) for each in counts])
        self.names = tags

    def bins(self, predictions: Predictions) -> Bins:
        """Give the bins of predictions; shape (n_predictions, len(STREAMS))."""
        columns = [
            joined[figure.bins_of(values)]
            for figure, joined, values in zip(
                self._figures, self._joined, predictions.figures.T, strict=True
            )
        ]
        first = [
            self._tags.get(tags[0], self._other) if len(tags) else self._quiet
            for tags in predictions.tags
        ]
        return np.column_stack([*columns, np.array(first, dtype=np.intp)])


def join_bins(counts: Counts) -> Bins:
    """Join neighbouring bins until each has a share of at least `_MIN_SHARE`.

    Returns
    -------
    ndarray of int, shape (n_bins,)
        The joined bin of each bin. The last one may have a smaller share.
    """
    least = _MIN_SHARE * counts.sum()
    joined, place, held = [], 0, 0
    for count in counts.tolist():
        # A bin that is large alone does not swallow the small ones before it.
        if held and count >= least:
            place, held = place + 1, 0
        joined.append(place)
        held += count
        if held >= least:
            place, held = place + 1, 0
    return np.array(joined, dtype=np.intp)
