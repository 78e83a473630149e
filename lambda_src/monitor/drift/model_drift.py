"""Model drift: the Jaccard index of a week's feedback against the one that the release promised.

The null hypothesis is that the mean is not lower than the release's held-out figure by more than
a tolerance: those who give feedback are a selection, and their questions are not the corpus's.
The test is Student's t-test of one mean, on one side (Student 1908, "The probable error of a mean",
Biometrika 6).
"""

from collections.abc import Collection, Mapping
from math import sqrt
from typing import Any, Final

from scipy.special import stdtr

from lambda_src.monitor.drift.evidence import capped_evidence
from lambda_src.monitor.drift.findings import Finding, Status
from lambda_src.monitor.drift.observations import Feedbacks, parts_by_week

TOLERANCE: Final = 0.05
LEVEL: Final = 0.001
"""The largest probability of an alarm in a week in which the mean is lower by the tolerance."""
MIN_FEEDBACKS: Final = 200
"""Whole weeks are joined until they have so much feedback."""


class ModelDriftWatch:
    """Compares the mean Jaccard index of whole weeks with the release's.

    Parameters
    ----------
    sample_jaccard : float
        See `Baseline.sample_jaccard`.
    state : mapping, optional
        What `state` gave.
    """

    def __init__(self, sample_jaccard: float, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._promised = sample_jaccard
        self._week: str | None = state.get("week")
        # The number of feedbacks, the sum of their Jaccard indices and the sum of the squares.
        self._open: list[float] = list(state.get("open", (0, 0.0, 0.0)))
        self._last: list[float] | None = state.get("last")
        self._since: str | None = state.get("since")

    def observe(self, feedbacks: Feedbacks) -> None:
        """Take the next feedback, in the order of time."""
        for monday, part in parts_by_week(feedbacks.days):
            is_new_week = self._week is not None and self._week < str(monday)
            if is_new_week and self._open[0] >= MIN_FEEDBACKS:
                self._last, self._open = self._open, [0, 0.0, 0.0]
                self._since = (self._since or self._week) if self._evidence() >= 1 else None
            self._week = str(monday)
            for tags, final in zip(feedbacks.tags[part], feedbacks.final_tags[part], strict=True):
                index = jaccard(tags, final)
                self._open = [
                    self._open[0] + 1,
                    self._open[1] + index,
                    self._open[2] + index * index,
                ]

    def findings(self) -> list[Finding]:
        """Give the one finding of this test."""
        status: Status = "drift" if self._since else "ok"
        after = None
        if self._last is None:
            status = "not enough data"
            shown = (
                f"The open week has {self._open[0]:.0f} feedbacks; the test needs whole weeks "
                f"with {MIN_FEEDBACKS}."
            )
        else:
            after = self._last[1] / self._last[0]
            shown = (
                f"The mean Jaccard index of {self._last[0]:.0f} feedbacks is {after:.3f}; the "
                f"release had {self._promised:.3f} on questions that it had not seen."
            )
        return [
            Finding(
                kind="model_drift",
                figure="sample_jaccard",
                compared_with="release",
                status=status,
                explanation=shown,
                before=self._promised,
                after=after,
                evidence=self._evidence(),
                since=self._since,
            )
        ]

    def state(self) -> dict[str, Any]:
        """Give everything that the next feedback needs, as values that JSON has."""
        return {
            "week": self._week,
            "open": self._open,
            "last": self._last,
            "since": self._since,
        }

    def _evidence(self) -> float:
        if self._last is None:
            return 0.0
        n_feedbacks, total, squares = self._last
        p = p_value(n_feedbacks, total, squares, self._promised)
        return capped_evidence(LEVEL, p)


def p_value(n_feedbacks: float, total: float, squares: float, promised: float) -> float:
    """Test whether the mean is lower than what was promised, minus the tolerance.

    Parameters
    ----------
    n_feedbacks, total, squares : float
        The number of Jaccard indices, their sum, and the sum of their squares.
    promised : float
    """
    mean = total / n_feedbacks
    variance = max(squares - n_feedbacks * mean * mean, 0.0) / (n_feedbacks - 1)
    difference = mean - (promised - TOLERANCE)
    if variance == 0:
        return 0.0 if difference < 0 else 1.0
    return float(stdtr(n_feedbacks - 1, difference / sqrt(variance / n_feedbacks)))


def jaccard(suggested: Collection[str], final: Collection[str]) -> float:
    """Compute the Jaccard index of two sets of tags; 0 if both are empty."""
    union = {*suggested, *final}
    return len({*suggested} & {*final}) / len(union) if union else 0.0
