"""Slow drift and label shift: all predictions of a week against the baseline.

What changes slowly, or changes many small things, gives little evidence per prediction and much in
a week. Each figure has a Kolmogorov-Smirnov test (Smirnov 1948, "Table for estimating the goodness
of fit of empirical distributions"). It compares the counts of the baseline's bins, so it sees at
most the real distance, and its p-values are not too small.

The tags have one test for all of them, because a shift changes many tags a little. A prediction
suggests several tags, so that Pearson's test does not hold. Instead, the statistics of the single
tags are added. Their sum has about the distribution of a scaled chi-square variable with the same
mean and variance: the second-order correction of Rao and Scott (1981), "The analysis of categorical
data from complex sample surveys", JASA 76. Bilder and Loughin (2004), "Testing for marginal
independence between two categorical variables with multiple responses", Biometrics 60, use it where
one answer names several items.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.special import chdtrc, kolmogorov

from lambda_src.monitor.drift.baseline import Baseline, Counts
from lambda_src.monitor.drift.evidence import capped_evidence
from lambda_src.monitor.drift.findings import Compared, Finding, Kind, Share, Status
from lambda_src.monitor.drift.live_counts import LiveCounts
from lambda_src.monitor.drift.observations import FIGURES, Floats, Predictions, parts_by_week

LEVEL: Final = 0.002
"""The largest probability of an alarm in a week in which nothing has changed."""
TAGS: Final = "tags"
"""The name of the figure that all suggested tags make together."""
TAGS_LEVEL: Final = 0.75 * LEVEL
"""The level of the test of the tags, which needs it more. The tests of the figures share the rest:
Bonferroni's correction, with weights."""
FIGURES_LEVEL: Final = (LEVEL - TAGS_LEVEL) / len(FIGURES)
_RELEASE_DISTANCE: Final = 0.1
"""The largest distance from the release's baseline that is no drift: the model that answers has
learned from more questions than each of those that made the baseline."""
_SHARES_SHOWN: Final = 20
MIN_PREDICTIONS: Final = 1_000
"""Whole weeks are joined until they have so many predictions."""


def ks_p_values(before: Counts, after: Counts) -> Floats:
    """Test whether two samples are from one distribution.

    Parameters
    ----------
    before, after : ndarray of int, shape (..., n_bins)
        How many values of each sample are in each bin, in ascending order of the values.

    Returns
    -------
    ndarray of float, shape (...,)
    """
    n_before, n_after = before.sum(axis=-1), after.sum(axis=-1)
    size = n_before * n_after / (n_before + n_after)
    p_values: Floats = kolmogorov(ks_distances(before, after) * np.sqrt(size))
    return p_values


def ks_distances(before: Counts, after: Counts) -> Floats:
    """Give the largest difference of the cumulated shares; see `ks_p_values`."""
    cumulated = [each.cumsum(axis=-1) / each.sum(axis=-1)[..., None] for each in (before, after)]
    distances: Floats = np.abs(cumulated[0] - cumulated[1]).max(axis=-1)
    return distances


def tags_p_values(
    before: Counts, n_before: int, after: Counts, n_after: int, overlap: float
) -> Floats:
    """Test whether tags are suggested as often as before.

    Parameters
    ----------
    before, after : ndarray of int, shape (..., n_tags)
        How many predictions suggested each tag.
    n_before, n_after : int
        The number of predictions.
    overlap : float
        See `Baseline.tag_overlap`.

    Returns
    -------
    ndarray of float, shape (...,)
    """
    rates = (before + after) / (n_before + n_after)
    variances = rates * (1 - rates) * (1 / n_before + 1 / n_after)
    # A tag that no prediction suggests, or every one, does not vary.
    varies = variances > 0
    squares = (before / n_before - after / n_after) ** 2
    statistics = np.divide(squares, variances, out=np.zeros_like(squares), where=varies).sum(-1)
    n_tags = varies.sum(axis=-1)
    p_values: Floats = np.where(n_tags > 0, chdtrc(n_tags / overlap, statistics / overlap), 1.0)
    return p_values


class Window:
    """The predictions of whole weeks.

    Parameters
    ----------
    release : Baseline
    state : mapping, optional
        What `state` gave.

    Attributes
    ----------
    start, end : str or None
        The first and the last Monday; None: there are no predictions.
    counts : LiveCounts
    """

    def __init__(self, release: Baseline, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self.start: str | None = state.get("start")
        self.end: str | None = state.get("end")
        self.counts = LiveCounts(release, state.get("counts"))

    def add(self, predictions: Predictions, monday: np.datetime64) -> None:
        """Count predictions of one week."""
        self.start = self.start or str(monday)
        self.end = str(monday)
        self.counts.add(predictions)

    def state(self) -> dict[str, Any]:
        """Give the window as values that JSON has."""
        return {"start": self.start, "end": self.end, "counts": self.counts.state()}


class WeeklyWatch:
    """Compares whole weeks with both baselines.

    Parameters
    ----------
    release, live : Baseline
        Both count their figures in the same bins.
    state : mapping, optional
        What `state` gave.
    """

    def __init__(
        self, release: Baseline, live: Baseline, state: Mapping[str, Any] | None = None
    ) -> None:
        state = state or {}
        self._release = release
        self._baselines: dict[Compared, Baseline] = {"release": release, "live": live}
        self._open = Window(release, state.get("open"))
        last = state.get("last")
        self._last = Window(release, last) if last else None
        self._since: dict[str, str] = dict(state.get("since", {}))

    def observe(self, predictions: Predictions) -> None:
        """Take the next predictions, in the order of time."""
        for monday, part in parts_by_week(predictions.days):
            is_new_week = self._open.end is not None and self._open.end < str(monday)
            if is_new_week and self._open.counts.n_predictions >= MIN_PREDICTIONS:
                self._last, self._open = self._open, Window(self._release)
                self._note_drift()
            self._open.add(predictions[part], monday)

    def findings(self) -> list[Finding]:
        """Give one finding per figure and one for the tags, for each baseline."""
        return [
            finding
            for compared_with, baseline in self._baselines.items()
            for finding in self._compare(compared_with, baseline)
        ]

    def state(self) -> dict[str, Any]:
        """Give everything that the next prediction needs, as values that JSON has."""
        return {
            "open": self._open.state(),
            "last": self._last.state() if self._last else None,
            "since": self._since,
        }

    def _compare(self, compared_with: Compared, baseline: Baseline) -> list[Finding]:
        last = self._last
        if last is None:
            explanation = (
                f"The open week has {self._open.counts.n_predictions} predictions; the tests need "
                f"whole weeks with {MIN_PREDICTIONS}."
            )
            return [
                _finding(name, compared_with, "not enough data", explanation)
                for name in (*FIGURES, TAGS)
            ]
        weeks = f"In the week of {last.end}"
        if last.start != last.end:
            weeks = f"In the weeks from {last.start} to {last.end}"
        findings = []
        for name, new in last.counts.as_baseline().figures.items():
            old, counts = baseline.figures[name], new.counts
            before = old.total / baseline.n_predictions
            after = new.total / last.counts.n_predictions
            evidence = capped_evidence(FIGURES_LEVEL, float(ks_p_values(old.counts, counts)))
            if compared_with == "release":
                distance = float(ks_distances(old.counts, counts))
                evidence = min(evidence, distance / _RELEASE_DISTANCE)
            findings.append(
                self._judged(
                    name,
                    compared_with,
                    f"{weeks}, the mean of {name} was {after:.3g}; it is {before:.3g} in the "
                    f"{compared_with} baseline.",
                    evidence,
                    before=before,
                    after=after,
                )
            )
        return [*findings, self._compare_tags(compared_with, baseline, last.counts, weeks)]

    def _compare_tags(
        self, compared_with: Compared, baseline: Baseline, counts: LiveCounts, weeks: str
    ) -> Finding:
        tags = list(baseline.tags)
        old = np.array([baseline.tags[tag] for tag in tags], dtype=np.int64)
        new = np.array([counts.tags[tag] for tag in tags], dtype=np.int64)
        p_value = tags_p_values(
            old, baseline.n_predictions, new, counts.n_predictions, baseline.tag_overlap
        )
        before = (old / baseline.n_predictions).tolist()
        after = (new / counts.n_predictions).tolist()
        shares = sorted(map(Share, tags, before, after), key=lambda s: -abs(s.after - s.before))
        if not shares:
            return _finding(TAGS, compared_with, "ok", "The baseline has no suggested tags.")
        label, was, now = shares[0]
        return self._judged(
            TAGS,
            compared_with,
            f"{weeks}, {now:.1%} of the predictions suggested {label!r}; it was {was:.1%} in the "
            f"{compared_with} baseline. No other tag changed more.",
            capped_evidence(TAGS_LEVEL, float(p_value)),
            before=was,
            after=now,
            shares=tuple(shares[:_SHARES_SHOWN]),
        )

    def _judged(
        self,
        name: str,
        compared_with: Compared,
        explanation: str,
        evidence: float,
        **values: Any,
    ) -> Finding:
        status: Status = "drift" if evidence >= 1 else "ok"
        found = _finding(name, compared_with, status, explanation, evidence=evidence, **values)
        return replace(found, since=self._since.get(_key(found)))

    def _note_drift(self) -> None:
        drifting = {_key(each): each for each in self.findings() if each.evidence >= 1}
        ends = str(self._last.end) if self._last else ""
        self._since = {key: self._since.get(key, ends) for key in drifting}


def _finding(
    name: str, compared_with: Compared, status: Status, explanation: str, **values: Any
) -> Finding:
    kind: Kind = "label_shift" if name == TAGS else "slow_drift"
    return Finding(kind, name, compared_with, status, explanation, **values)


def _key(finding: Finding) -> str:
    return f"{finding.compared_with}/{finding.figure}"
