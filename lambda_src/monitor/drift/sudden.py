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

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from lambda_src.monitor.drift.baseline import Baseline, Counts
from lambda_src.monitor.drift.evidence import WeeklyLimit, add_evidence
from lambda_src.monitor.drift.findings import Compared, Finding, Share
from lambda_src.monitor.drift.observations import FIGURES, Floats, Predictions

FIRST_TAG: Final = "first_tag"
STREAMS: Final = (*FIGURES, FIRST_TAG)
"""What the detector watches, in the order of its columns."""
TOLERANCE: Final = 1.1
"""A share may grow by this factor beyond its bound before it counts as changed."""
_BOUND_LEVEL: Final = 0.999
_MIN_SHARE: Final = 0.05
"""Bins of a figure are joined until each has this share of the baseline."""
_BETS: Final = np.array([0.1, 0.3, 0.7])
"""The values of ``l``."""
_MEMORIES: Final = np.array([30.0, 150.0])
"""The recent shares are exponentially weighted over about so many predictions."""
_KEPT: Final = 1 - _BETS[:, None, None]
_DECAY: Final = 1 - 1 / _MEMORIES[:, None]
_NEW: Final = 1 / _MEMORIES[:, None]
MIN_PREDICTIONS_PER_WEEK: Final = 2_000
"""The limit for the evidence is that of a week of so many predictions, or of more if there are
more."""

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
        tags = list(baseline.first_tags)
        self._quiet, self._other = n_bins, n_bins + 1
        self._tags = {tag: n_bins + 2 + place for place, tag in enumerate(tags)}
        of_tags = [baseline.first_tags[tag] for tag in tags]
        other = baseline.n_predictions - baseline.n_quiet - sum(of_tags)
        counts.append(np.array([baseline.n_quiet, other, *of_tags], dtype=np.int64))
        self.shares = np.concatenate(counts) / baseline.n_predictions
        self.bounds = np.concatenate([share_bounds(each) for each in counts])
        self.means = [figure.total / baseline.n_predictions for figure in self._figures]
        self.labels = [self._labels(place) for place in range(len(FIGURES))]
        self.labels.append(["no suggestion", "other tags", *tags])

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

    def _labels(self, place: int) -> list[str]:
        joined, edges = self._joined[place], self._figures[place].edges
        # The last of the bins that were joined ends the bin.
        ends = np.flatnonzero(np.diff(joined))
        labels = [f"to {edge:g}" for edge in edges[ends]]
        return [*labels, f"above {edges[ends[-1]]:g}" if len(ends) else "all"]


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


class SuddenDetector:
    """The e-detector of one or several baselines, fed with one prediction at a time.

    Parameters
    ----------
    shares, bounds : ndarray of float, shape (n_bins,)
        See `Reference`; of several baselines, those of all of them one after the other.
    n_streams : int
        How many streams the bins belong to: `STREAMS` for each baseline.
    state : mapping, optional
        What `state` gave.

    Attributes
    ----------
    evidence : ndarray of float, shape (len(_BETS), len(_MEMORIES), n_streams)
    recent : ndarray of float, shape (len(_MEMORIES), n_bins)
        The recent share of each bin.
    """

    def __init__(
        self,
        shares: Floats,
        bounds: Floats,
        n_streams: int,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        state = state or {}
        self._inverse_bounds = _BETS[:, None, None] / bounds
        shape = (len(_BETS), len(_MEMORIES), n_streams)
        self.evidence = np.array(state.get("evidence", np.zeros(shape)))
        self.recent = np.array(state.get("recent", np.tile(shares, (len(_MEMORIES), 1))))

    def observe(self, bins: Bins, limit: float) -> None:
        """Take the next prediction of each baseline.

        Parameters
        ----------
        bins : ndarray of int, shape (n_streams,)
        limit : float
            The evidence that raises the alarm.
        """
        e_values = self.recent[:, bins] * self._inverse_bounds[:, :, bins]
        e_values += _KEPT
        add_evidence(self.evidence, e_values, limit)
        self.recent *= _DECAY
        self.recent[:, bins] += _NEW

    def state(self) -> dict[str, Any]:
        """Give everything that the next prediction needs, as values that JSON has."""
        return {"evidence": self.evidence.tolist(), "recent": self.recent.tolist()}


class SuddenWatch:
    """Compares predictions with one baseline, and says which figures changed.

    Parameters
    ----------
    baseline : Baseline
    compared_with : {"release", "live"}
    state : mapping, optional
        What `state` gave.
    """

    def __init__(
        self, baseline: Baseline, compared_with: Compared, state: Mapping[str, Any] | None = None
    ) -> None:
        state = state or {}
        self._compared_with = compared_with
        self._reference = Reference(baseline)
        self._detector = SuddenDetector(
            self._reference.shares, self._reference.bounds, len(STREAMS), state.get("detector")
        )
        self._limit = WeeklyLimit(MIN_PREDICTIONS_PER_WEEK, state.get("limit"))
        self._means = np.array(state.get("means", self._reference.means))

    def observe(self, predictions: Predictions) -> None:
        """Take the next predictions, in the order of time."""
        limit, detector = self._limit, self._detector
        decay, new = float(_DECAY[-1, 0]), float(_NEW[-1, 0])
        bins = self._reference.bins(predictions)
        n_processes = detector.evidence.size
        for day, bins_of_one, figures in zip(
            predictions.days.tolist(), bins, predictions.figures, strict=True
        ):
            limit.count(day)
            detector.observe(bins_of_one, limit.value)
            # The mean, but faster than `mean` computes it.
            limit.compare(np.add.reduce(detector.evidence, axis=None) / n_processes, day)
            self._means *= decay
            self._means += new * figures

    def findings(self) -> list[Finding]:
        """Give one finding per stream.

        The limit is for the mean of all streams. When it is reached, at least one of them has as
        much evidence.
        """
        since = self._limit.since
        evidence = self._detector.evidence.mean(axis=(0, 1)) / self._limit.value
        findings = []
        start = 0
        for place, (name, labels) in enumerate(zip(STREAMS, self._reference.labels, strict=True)):
            part = slice(start, start + len(labels))
            start += len(labels)
            before, after = self._reference.shares[part], self._detector.recent[-1, part]
            shares = tuple(map(Share, labels, before.tolist(), after.tolist()))
            if name == FIRST_TAG:
                largest = max(shares, key=lambda share: abs(share.after - share.before))
                old, new, what = largest.before, largest.after, f"the share of {largest.label!r}"
            else:
                old, new = self._reference.means[place], float(self._means[place])
                what = f"the mean of {name}"
            is_drift = since is not None and bool(evidence[place] >= 1)
            findings.append(
                Finding(
                    kind="data_drift",
                    figure=name,
                    compared_with=self._compared_with,
                    status="drift" if is_drift else "ok",
                    explanation=f"In the last predictions, {what} is {new:.3g}; it was {old:.3g} "
                    f"in the {self._compared_with} baseline.",
                    before=old,
                    after=new,
                    evidence=float(evidence[place]),
                    since=since if is_drift else None,
                    shares=shares,
                )
            )
        return findings

    def state(self) -> dict[str, Any]:
        """Give everything that the next prediction needs, as values that JSON has."""
        return {
            "detector": self._detector.state(),
            "limit": self._limit.state(),
            "means": self._means.tolist(),
        }
