"""Rank the best candidates again, each beside the others.

Tags are no strangers to each other: one implies another, some never meet. Which ones go together is
counted in the corpus, not listed. A small network weighs that beside the calibrator's odds.
"""

from functools import cached_property
from math import log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.calibrator import Candidates, QuestionFacts, TagFacts, confidences
from lambda_src.tagger.rules import MAX_SHORTLISTED, PRIOR_QUESTIONS, RERANKER_INPUTS
from lambda_src.tagger.vocabulary import Floats, Ints


class PairCounts(NamedTuple):
    """In how many of the corpus's questions, of those whose tags are complete, two tags meet."""

    keys: npt.NDArray[np.int64]
    """Shape (n_pairs,), ascending: the smaller tag's number times ``n_tags`` plus the larger's.
    A tag with itself counts, too."""
    counts: Ints
    """Shape (n_pairs,)."""
    n_questions: int


class CoOccurrence:
    """Which tags go together.

    Parameters
    ----------
    pairs : PairCounts
    n_tags : int

    Raises
    ------
    ValueError
        The pairs are out of order or name tags that there are not.
    """

    def __init__(self, pairs: PairCounts, n_tags: int) -> None:
        keys, counts, _ = pairs
        first, second = np.divmod(keys, n_tags)
        in_order = bool((keys[1:] > keys[:-1]).all() and (first <= second).all())
        in_range = bool(((keys >= 0) & (keys < n_tags * n_tags)).all())
        if len(keys) != len(counts) or not in_order or not in_range:
            raise ValueError("its pairs of tags do not fit")
        uses = np.zeros(n_tags)
        alone = first == second
        uses[first[alone]] = counts[alone]
        self.uses = uses
        """Shape (n_tags,): in how many of those questions each tag is."""
        self._pairs = pairs
        self._n_tags = n_tags
        self._unmet = -np.log1p(uses / PRIOR_QUESTIONS)

    @cached_property
    def _both_ways(self) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """Give the pairs' keys, each with the given tag last, how they lift and what they imply."""
        n_tags, (keys, counts, n_questions) = self._n_tags, self._pairs
        first, second = np.divmod(keys, n_tags)
        others = first != second
        # A tag with itself says nothing.
        counts = np.where(others, counts, 0).astype(np.float64)
        met, given = np.append(first, second[others]), np.append(second, first[others])
        counts = np.append(counts, counts[others])
        by_chance = PRIOR_QUESTIONS * (self.uses + 0.5) / max(n_questions, 1)
        order = np.argsort(met * n_tags + given)
        # A key behind all others stands for the pairs that never met.
        return (
            np.append((met * n_tags + given)[order], n_tags * n_tags),
            np.append(np.log1p(counts / by_chance[met])[order], 0),
            np.append((counts / (self.uses + PRIOR_QUESTIONS)[given])[order], 0),
        )

    def of(self, tags: Ints, sure: Floats) -> Floats:
        """Describe what candidates have to do with each other.

        Parameters
        ----------
        tags : ndarray of int, shape (n_shortlisted,)
        sure : ndarray of float, shape (n_shortlisted,)
            How likely each one is by itself.

        Returns
        -------
        ndarray of float, shape (3, n_shortlisted)
            ``lift``: by how much the others, if they are true, raise the log-probability of a tag,
            each as far as it is likely. ``mean lift``: the same for a single likely other.
            ``implied``: the probability of a tag given the one other that speaks most for it.
        """
        all_keys, met, given = self._both_ways
        keys = (tags * self._n_tags)[:, None] + tags
        places = all_keys.searchsorted(keys)
        known = all_keys.take(places) == keys
        unmet = self._unmet.take(tags) * sure
        described = np.empty((3, len(tags)))
        described[0] = (met.take(places) * known) @ sure + (unmet.sum() - unmet)
        described[1] = described[0] / (sure.sum() + 0.1 - sure)
        described[2] = (given.take(places) * known * sure).max(axis=1)
        return described


class Network(NamedTuple):
    """One hidden layer of rectified linear units."""

    hidden: Floats
    """Shape (len(RERANKER_INPUTS) + 1, N_HIDDEN_UNITS); the last row holds the intercepts."""
    output: Floats
    """Shape (N_HIDDEN_UNITS + 1,); the last is the intercept."""

    def odds(self, described: Floats) -> Floats:
        """Give log-odds; ``described`` has shape (len(RERANKER_INPUTS), n_shortlisted)."""
        hidden = described.T @ self.hidden[:-1] + self.hidden[-1]
        odds: Floats = np.maximum(hidden, 0, out=hidden) @ self.output[:-1] + self.output[-1]
        return odds


class Shortlist(NamedTuple):
    """The candidates whose order is judged again, by falling odds; shape (n_shortlisted,) each."""

    tags: Ints
    scores: Floats
    odds: Floats
    """Of the calibrator."""


def shortlist(candidates: Candidates, odds: Floats) -> Shortlist:
    """Take the candidates of the best odds."""
    best = np.argsort(-odds, kind="stable")[:MAX_SHORTLISTED]
    return Shortlist(candidates.tags.take(best), candidates.scores.take(best), odds.take(best))


class CorpusFacts(NamedTuple):
    """What the corpus taught about tags, besides their regressions."""

    facts: TagFacts
    records: Floats
    """Shape (n_tags,): log of how often a tag was true over how often the calibrator expected."""
    pairs: CoOccurrence


def inputs(listed: Shortlist, question: QuestionFacts, corpus: CorpusFacts) -> Floats:
    """Describe each candidate to the network; shape (len(RERANKER_INPUTS), n_shortlisted)."""
    tags, scores, odds = listed
    facts = corpus.facts
    sure = confidences(odds)
    described = np.zeros((len(RERANKER_INPUTS), len(tags)))
    described[0] = odds
    described[1] = scores
    described[2] = odds[0]
    described[3] = sure.sum()
    described[4] = facts.log_uses.take(tags)
    described[5] = corpus.records.take(tags)
    for place, tag in enumerate(tags.tolist()):
        if tag in question.names.title:
            described[6, place] = facts.name_worth[tag]
        if tag in question.names.prose:
            described[7, place] = facts.name_worth[tag]
    described[8] = log1p(question.n_title_words)
    described[9] = log1p(question.n_prose_words)
    described[10:] = corpus.pairs.of(tags, sure)
    return described
