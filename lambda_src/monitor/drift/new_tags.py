"""New tags: more and more questions have a tag that the model does not know.

For each such tag, the null hypothesis is that it is at most as common as it can have been in the
corpus: its rate is below ``u``, the Clopper-Pearson bound for its number of uses there, with a
tolerance. For a rate ``q`` above ``u``, ``q / u`` is an e-value if a question has the tag, and
``(1 - q) / (1 - u)`` if it has not.

The n-th tag that appears has a weight in proportion to ``n ** -1.3``. These weights sum to 1, so
the weighted sum of all e-detectors is one again, however many tags appear. Tags of the corpus and
tags that the corpus never saw are numbered apart. The latter have most of the weight: they are few,
and a new tag is one of them. Javanmard and Montanari (2018), "Online rules for control of false
discovery rate and false discovery exceedance", share out a level in the same way.

The detector of a tag starts after its first use: that use chose the tag, and is no evidence.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from scipy.special import betaincinv, zeta

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.concept import MIN_FEEDBACKS_PER_WEEK
from lambda_src.monitor.drift.evidence import WeeklyLimit, add_evidence
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.drift.observations import Feedbacks

TOLERANCE: Final = 2.5
"""A tag may be more common by this factor than its bound says: a service for one site of a corpus
of several sites sees its rare tags more often."""
_BOUND_LEVEL: Final = 0.999
_RATES: Final = np.array([0.02, 0.06])
"""The alternatives ``q``, or `_LEAST_FACTOR` times the bound if that is more."""
_RATE_WEIGHTS: Final = np.array([0.25, 0.75])
_EXPONENT: Final = 1.3
_NEW_TO_CORPUS_WEIGHT: Final = 0.8
_LEAST_FACTOR: Final = 5.0
_MAX_RATE: Final = 0.9
_MEMORY: Final = 200.0
"""What a finding shows is exponentially weighted over about so much feedback."""
MAX_TAGS: Final = 500
"""So many tags are followed. If there are more, the one with the least recent use is forgotten."""


class NewTags:
    """The e-detectors of all tags that appeared and that the model does not know.

    Parameters
    ----------
    baseline : Baseline
    state : mapping, optional
        What `state` gave.

    Attributes
    ----------
    tags : list of str
        The tags that are followed.
    evidence : ndarray of float, shape (n_tags, len(_RATES))
        Times the weight of the tag. The sum of a tag is compared with the limit.
    recent : ndarray of float, shape (n_tags,)
        The share of recent feedback that has the tag.
    """

    def __init__(self, baseline: Baseline, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._n_questions = baseline.n_questions
        self._rare = baseline.rare_tags
        self.tags: list[str] = []
        self._places: dict[str, int] = {}
        # One row per tag: its weight, and the e-values of a question with and without it.
        self._weights = np.empty((0, 1))
        self._if_used = np.empty((0, len(_RATES)))
        self._if_not = np.empty((0, len(_RATES)))
        self.evidence = np.empty((0, len(_RATES)))
        self.recent = np.empty(0)
        self._n_appeared: list[int] = list(state.get("appeared", (0, 0)))
        for tag, weight, evidence, recent in state.get("tags", ()):
            self._follow(tag, weight, evidence, recent)

    def observe(self, unknown_tags: Collection[str], limit: float) -> None:
        """Take the next feedback.

        Parameters
        ----------
        unknown_tags : collection of str
            Those of the final tags that the model does not know.
        limit : float
            The evidence that raises the alarm.
        """
        followed = [self._places[tag] for tag in set(unknown_tags) if tag in self._places]
        if self.tags:
            e_values = self._if_not.copy()
            e_values[followed] = self._if_used[followed]
            add_evidence(self.evidence, e_values, limit, self._weights * _RATE_WEIGHTS)
            self.recent *= 1 - 1 / _MEMORY
            self.recent[followed] += 1 / _MEMORY
        for tag in sorted(set(unknown_tags) - self._places.keys()):
            in_corpus = tag in self._rare
            self._n_appeared[in_corpus] += 1
            n = self._n_appeared[in_corpus]
            of_kind = 1 - _NEW_TO_CORPUS_WEIGHT if in_corpus else _NEW_TO_CORPUS_WEIGHT
            weight = of_kind * n**-_EXPONENT / float(zeta(_EXPONENT))
            self._follow(tag, weight, [0.0] * len(_RATES), 1 / _MEMORY)
        if len(self.tags) > MAX_TAGS:
            self._forget(len(self.tags) - MAX_TAGS)

    def bound(self, tag: str) -> float:
        """Give the highest rate that is nothing new for a tag, from 0 to 1."""
        n_uses = self._rare.max_uses(tag)
        others = self._n_questions - n_uses
        # The quantile does not exist for a tag that every question has.
        bound = float(betaincinv(n_uses + 1, others, _BOUND_LEVEL)) if others > 0 else 1.0
        return min(1.0, TOLERANCE * bound)

    def state(self) -> dict[str, Any]:
        """Give everything that the next feedback needs, as values that JSON has."""
        columns = (self._weights[:, 0].tolist(), self.evidence.tolist(), self.recent.tolist())
        rows = [list(row) for row in zip(self.tags, *columns, strict=True)]
        return {"appeared": list(self._n_appeared), "tags": rows}

    def _follow(self, tag: str, weight: float, evidence: list[float], recent: float) -> None:
        bound = self.bound(tag)
        if bound < _MAX_RATE:
            rates = np.maximum(_RATES, min(_LEAST_FACTOR * bound, _MAX_RATE))
            if_used, if_not = rates / bound, (1 - rates) / (1 - bound)
        else:  # Hardly any rate is higher: such a tag is no evidence.
            if_used = if_not = np.ones(len(_RATES))
        self._places[tag] = len(self.tags)
        self.tags.append(tag)
        self._weights = np.vstack([self._weights, [weight]])
        self._if_used = np.vstack([self._if_used, if_used])
        self._if_not = np.vstack([self._if_not, if_not])
        self.evidence = np.vstack([self.evidence, evidence])
        self.recent = np.append(self.recent, recent)

    def _forget(self, n_tags: int) -> None:
        least = np.argsort(self.recent, kind="stable")[:n_tags]
        kept = np.delete(np.arange(len(self.tags)), least)
        self.tags = [self.tags[place] for place in kept]
        self._places = {tag: place for place, tag in enumerate(self.tags)}
        self._weights, self.evidence = self._weights[kept], self.evidence[kept]
        self._if_used, self._if_not = self._if_used[kept], self._if_not[kept]
        self.recent = self.recent[kept]


class NewTagWatch:
    """Reports the tags that are more common in the feedback than they can have been in the corpus.

    Parameters
    ----------
    baseline : Baseline
    state : mapping, optional
        What `state` gave.
    """

    def __init__(self, baseline: Baseline, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._detectors = NewTags(baseline, state.get("detectors"))
        self._limit = WeeklyLimit(MIN_FEEDBACKS_PER_WEEK, state.get("limit"))
        self._since: dict[str, str] = dict(state.get("since", {}))

    def observe(self, feedbacks: Feedbacks) -> None:
        """Take the next feedback, in the order of time."""
        for day, unknown_tags in zip(feedbacks.days.tolist(), feedbacks.unknown_tags, strict=True):
            self._limit.count(day)
            self._detectors.observe(unknown_tags, self._limit.value)
            is_new = self._detectors.evidence.sum(axis=1) >= self._limit.value
            if self._since or is_new.any():
                found = [self._detectors.tags[place] for place in np.flatnonzero(is_new)]
                self._since = {tag: self._since.get(tag, str(day)) for tag in found}

    def findings(self) -> list[Finding]:
        """Give one finding for each new tag, or one that says that there is none."""
        if not self._since:
            n_feedbacks = self._limit.n_observations
            is_enough = n_feedbacks >= MIN_FEEDBACKS_PER_WEEK
            largest = float(self._detectors.evidence.sum(axis=1).max(initial=0.0))
            return [
                Finding(
                    kind="new_tag",
                    figure="unknown_tags",
                    compared_with="release",
                    status="ok" if is_enough else "not enough data",
                    explanation=f"In {n_feedbacks} feedbacks, no tag that the model does not know "
                    "is more common than in the corpus.",
                    evidence=largest / self._limit.value,
                )
            ]
        return [self._finding(tag, since) for tag, since in self._since.items()]

    def state(self) -> dict[str, Any]:
        """Give everything that the next feedback needs, as values that JSON has."""
        return {
            "detectors": self._detectors.state(),
            "limit": self._limit.state(),
            "since": dict(self._since),
        }

    def _finding(self, tag: str, since: str) -> Finding:
        place = self._detectors.tags.index(tag)
        before, after = self._detectors.bound(tag), float(self._detectors.recent[place])
        return Finding(
            kind="new_tag",
            figure=tag,
            compared_with="release",
            status="drift",
            explanation=f"The model does not know the tag {tag!r}. It is in {after:.1%} of the "
            f"last feedback; after its use in the corpus, {before:.2%} would be nothing new.",
            before=before,
            after=after,
            evidence=float(self._detectors.evidence[place].sum() / self._limit.value),
            since=since,
        )
