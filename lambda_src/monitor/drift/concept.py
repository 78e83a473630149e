"""Concept drift: the suggested tags are right less often than their confidences say.

The null hypothesis is that each suggested tag is true at least as often as its confidence says,
with the odds divided by a tolerance. Let ``p0`` be that probability. For a true tag ``q / p0``,
and for a wrong one ``(1 - q) / (1 - p0)``, is an e-value for every ``q`` below ``p0``: what
Arnold, Henzi and Ziegel (2023), "Sequentially valid tests for forecast calibration", Annals of
Applied Statistics 17 (3), arXiv 2109.11761, build for forecasts. The mean over the tags of a
question is an e-value however the tags depend on each other.

Without a tolerance the confidences would have to be exactly right, and no calibration is.
Podkopaev and Ramdas (2022), "Tracking the risk of a deployed model and detecting harmful
distribution shifts", ICLR, test a mean over all time; old good weeks hide a fall in it, so this
module uses an e-detector.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lambda_src.monitor.drift.evidence import WeeklyLimit, add_evidence
from lambda_src.monitor.drift.findings import Finding, Status
from lambda_src.monitor.drift.observations import Feedbacks, Floats

TOLERANCE: Final = 1.25
"""The odds of a suggested tag may be lower by this factor than its confidence says."""
_BETS: Final = np.array([0.7, 0.4, 0.2])
"""How much lower the odds are under each alternative, beyond the tolerance."""
N_BETS: Final = len(_BETS)
_MAX_CONFIDENCE: Final = 0.9999
"""Events round confidences: 1 would mean that a tag cannot be wrong."""
MIN_FEEDBACKS_PER_WEEK: Final = 200
"""The limit for the evidence is that of a week of so much feedback, or of more if there is more.
With less feedback in all, "ok" would say too much."""
_MEMORY: Final = 200.0
"""What a finding shows is exponentially weighted over about so much feedback."""


def e_values(
    confidences: Sequence[float], is_true: Sequence[bool], tolerance: float = TOLERANCE
) -> Floats:
    """Give the e-values of one question, one for each alternative; shape (N_BETS,).

    Parameters
    ----------
    confidences : sequence of float
        Of the suggested tags.
    is_true : sequence of bool
        Whether the question ended with each of them.
    tolerance : float
        See `TOLERANCE`; 1 for confidences that are exactly right.
    """
    if not len(confidences):
        return np.ones(N_BETS)
    confident = np.minimum(np.asarray(confidences, dtype=np.float64), _MAX_CONFIDENCE)
    odds = confident / (1 - confident) / tolerance
    expected = odds / (1 + odds)
    lower = _BETS[:, None] * odds
    bet = lower / (1 + lower)
    hit: npt.NDArray[np.bool_] = np.asarray(is_true, dtype=np.bool_)
    # A confidence of 0 leaves nothing to lose: such a tag is no evidence.
    ratio = np.where(hit, bet / np.maximum(expected, 1e-12), (1 - bet) / (1 - expected))
    means: Floats = np.where(odds > 0, ratio, 1.0).mean(axis=1)
    return means


def feedback_e_values(feedbacks: Feedbacks, tolerance: float = TOLERANCE) -> Floats:
    """Give the e-values of feedback; shape (n_feedbacks, N_BETS). See `e_values`."""
    rows = [
        e_values(confidences, [tag in final for tag in tags], tolerance)
        for tags, confidences, final in zip(
            feedbacks.tags, feedbacks.confidences, feedbacks.final_tags, strict=True
        )
    ]
    return np.array(rows).reshape(-1, N_BETS)


class ConceptWatch:
    """Compares the hits among suggested tags with their confidences.

    Parameters
    ----------
    state : mapping, optional
        What `state` gave.
    """

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._evidence = np.array(state.get("evidence", [0.0] * N_BETS))
        self._limit = WeeklyLimit(MIN_FEEDBACKS_PER_WEEK, state.get("limit"))
        self._recent = np.array(state.get("recent", [0.0] * 3))
        """The weighted numbers of suggested tags, of those expected to be true, and of true ones"""

    def observe(self, feedbacks: Feedbacks) -> None:
        """Take the next feedback, in the order of time."""
        e_values_of_all = feedback_e_values(feedbacks)
        for day, e_values_of_one, tags, confidences, final in zip(
            feedbacks.days.tolist(),
            e_values_of_all,
            feedbacks.tags,
            feedbacks.confidences,
            feedbacks.final_tags,
            strict=True,
        ):
            self._limit.count(day)
            add_evidence(self._evidence, e_values_of_one, self._limit.value)
            self._limit.compare(float(self._evidence.mean()), day)
            hits = sum(tag in final for tag in tags)
            self._recent *= 1 - 1 / _MEMORY
            self._recent += (len(tags), sum(confidences), hits)

    def findings(self) -> list[Finding]:
        """Give the one finding of this test."""
        n_tags, expected, hits = self._recent.tolist()
        since, n_feedbacks = self._limit.since, self._limit.n_observations
        status: Status = "ok" if n_feedbacks >= MIN_FEEDBACKS_PER_WEEK else "not enough data"
        status = "drift" if since else status
        before, after = (expected / n_tags, hits / n_tags) if n_tags else (None, None)
        shown = "There is no feedback about suggested tags."
        if before is not None:
            shown = (
                f"In the last feedback, {after:.0%} of the suggested tags were right; their "
                f"confidences promised {before:.0%}."
            )
        return [
            Finding(
                kind="concept_drift",
                figure="hits",
                compared_with="release",
                status=status,
                explanation=shown,
                before=before,
                after=after,
                evidence=float(self._evidence.mean() / self._limit.value),
                since=since,
            )
        ]

    def state(self) -> dict[str, Any]:
        """Give everything that the next feedback needs, as values that JSON has."""
        return {
            "evidence": self._evidence.tolist(),
            "limit": self._limit.state(),
            "recent": self._recent.tolist(),
        }
