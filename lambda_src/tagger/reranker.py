"""Rank the best candidates of a question again, now each one beside the others.

Some tags imply others, and some never occur together. Training counts which ones do. A small neural
network weighs these counts together with the log-odds of the calibrator.
"""

from math import log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.calibrator import Candidates, QuestionFacts, TagFacts, confidences
from lambda_src.tagger.feature_matrix import feature_matrix
from lambda_src.tagger.rules import (
    MAX_SHORTLISTED,
    MEAN_LIFT_SMOOTHING,
    PRIOR_QUESTIONS,
    RERANKER_INPUTS,
    USES_SMOOTHING,
)
from lambda_src.tagger.vocabulary import Floats, Ints


class PairCounts(NamedTuple):
    """In how many questions two tags occur together, among those whose tags are complete."""

    keys: npt.NDArray[np.int64]
    """Shape (n_pairs,), ascending: ``n_tags`` times the smaller tag number, plus the larger one.
    A tag with itself is a pair, too: it counts the questions that have the tag."""
    counts: Ints
    """Shape (n_pairs,)."""
    n_questions: int


class PairFeatures(NamedTuple):
    """How the other tags of a shortlist support each tag; shape (n_shortlisted,) each."""

    lift: Floats
    """How much the other tags raise the log-probability of a tag, each one weighted with its own
    confidence."""
    mean_lift: Floats
    """`lift`, divided by the expected number of other tags plus `MEAN_LIFT_SMOOTHING`."""
    implied: Floats
    """The probability of a tag given the one other tag that supports it most."""


class CoOccurrence:
    """Tells which tags occur together.

    Parameters
    ----------
    pairs : PairCounts
    n_tags : int

    Raises
    ------
    ValueError
        The pairs are not in ascending order, or name a tag that does not exist.
    """

    def __init__(self, pairs: PairCounts, n_tags: int) -> None:
        keys, counts, n_questions = pairs
        first, second = np.divmod(keys, n_tags)
        in_order = bool((keys[1:] > keys[:-1]).all() and (first <= second).all())
        in_range = bool(((keys >= 0) & (keys < n_tags * n_tags)).all())
        if len(keys) != len(counts) or not in_order or not in_range:
            raise ValueError(
                "its pairs of tags are not in ascending order, or name a tag that does not exist"
            )
        itself = first == second
        self.uses = np.zeros(n_tags)
        """Shape (n_tags,): how many of the questions have each tag."""
        self.uses[first[itself]] = counts[itself]
        self._n_tags = n_tags
        # The last key is larger than that of any pair, so that a search always ends at a key.
        self._keys = np.append(keys, n_tags * n_tags)
        self._counts = np.append(counts, 0)
        self._by_chance = PRIOR_QUESTIONS * (self.uses + USES_SMOOTHING) / max(n_questions, 1)

    def features(self, tags: Ints, confidences: Floats) -> PairFeatures:
        """Compute how the other tags of a shortlist support each tag.

        With ``n(a, b)`` the questions that have both tags, ``n(a)`` those that have one, ``N`` all
        questions, ``m`` = `PRIOR_QUESTIONS` and ``s`` = `USES_SMOOTHING`, a tag ``b`` lifts the
        log-probability of a tag ``a`` by
        ``log(1 + n(a, b) N / (m (n(a) + s))) - log(1 + n(b) / m)``: the pointwise mutual
        information of Church and Hanks (1990), "Word Association Norms, Mutual Information, and
        Lexicography", shrunk towards 0 for rare tags. The probability of ``a`` given ``b`` is
        ``n(a, b) / (n(b) + m)``.

        Parameters
        ----------
        tags : ndarray of int, shape (n_shortlisted,)
        confidences : ndarray of float, shape (n_shortlisted,)
            Of each tag by itself.
        """
        together = self._count_together(tags)
        uses = self.uses[tags]
        lifts = np.log1p(together / self._by_chance[tags][:, None])
        drops = np.log1p(uses / PRIOR_QUESTIONS) * confidences
        lift = lifts @ confidences - (drops.sum() - drops)
        mean_lift = lift / (confidences.sum() + MEAN_LIFT_SMOOTHING - confidences)
        implied = (together / (uses + PRIOR_QUESTIONS) * confidences).max(axis=1)
        return PairFeatures(lift, mean_lift, implied)

    def _count_together(self, tags: Ints) -> Floats:
        """Count the questions of each pair of tags; shape (n_shortlisted, n_shortlisted)."""
        keys = np.minimum.outer(tags, tags) * self._n_tags + np.maximum.outer(tags, tags)
        places = self._keys.searchsorted(keys)
        counts = np.where(self._keys[places] == keys, self._counts[places], 0.0)
        # A tag does not support itself.
        np.fill_diagonal(counts, 0)
        return counts


class Network(NamedTuple):
    """A neural network with one hidden layer of rectified linear units."""

    hidden: Floats
    """Shape (len(RERANKER_INPUTS) + 1, N_HIDDEN_UNITS); the last row holds the intercepts."""
    output: Floats
    """Shape (N_HIDDEN_UNITS + 1,); the last entry is the intercept."""

    def odds(self, inputs: Floats) -> Floats:
        """Compute log-odds.

        Parameters
        ----------
        inputs : ndarray of float, shape (n_shortlisted, len(RERANKER_INPUTS))

        Returns
        -------
        ndarray of float, shape (n_shortlisted,)
        """
        hidden = np.maximum(inputs @ self.hidden[:-1] + self.hidden[-1], 0)
        odds: Floats = hidden @ self.output[:-1] + self.output[-1]
        return odds


class Shortlist(NamedTuple):
    """The candidates that are ranked again, in descending order of their log-odds."""

    tags: Ints
    """Shape (n_shortlisted,): numbers of tags."""
    scores: Floats
    """Shape (n_shortlisted,): raw scores."""
    odds: Floats
    """Shape (n_shortlisted,): log-odds, from the calibrator."""


def shortlist(candidates: Candidates, odds: Floats) -> Shortlist:
    """Choose the candidates with the best log-odds.

    Parameters
    ----------
    candidates : Candidates
    odds : ndarray of float, shape (n_candidates,)
        From the calibrator.
    """
    best = np.argsort(-odds, kind="stable")[:MAX_SHORTLISTED]
    return Shortlist(candidates.tags[best], candidates.scores[best], odds[best])


class CorpusFacts(NamedTuple):
    """What training learned about tags for the calibrator and the re-ranker."""

    facts: TagFacts
    records: Floats
    """Shape (N_QUESTION_FORMS, n_tags): logarithm of how often a tag was true in questions of a
    form, divided by how often the calibrator expected it to be."""
    pairs: CoOccurrence


def inputs(shortlisted: Shortlist, question: QuestionFacts, corpus: CorpusFacts) -> Floats:
    """Compute the network's inputs for each tag of a shortlist.

    Parameters
    ----------
    shortlisted : Shortlist
    question : QuestionFacts
    corpus : CorpusFacts

    Returns
    -------
    ndarray of float, shape (n_shortlisted, len(RERANKER_INPUTS))
    """
    tags, scores, odds = shortlisted
    calibrated = confidences(odds)
    in_title, in_prose, _ = question.names.counts_of(tags)
    name_worth = corpus.facts.name_worth[tags]
    title_worth = corpus.facts.worth_in_title(tags, question.names)
    lift, mean_lift, implied = corpus.pairs.features(tags, calibrated)
    values: dict[str, Floats | float] = {
        "odds": odds,
        "score": scores,
        "best odds": odds[0],
        "expected tags": calibrated.sum(),
        "log uses": corpus.facts.log_uses[tags],
        "record": corpus.records[question.form, tags],
        "worth of name in title": (in_title > 0) * title_worth,
        "worth of name in prose": (in_prose > 0) * name_worth,
        "log title words": log1p(question.n_title_words),
        "log prose words": log1p(question.n_prose_words),
        "log code words": log1p(question.n_code_words),
        "off topic score": question.off_topic_score,
        "lift": lift,
        "mean lift": mean_lift,
        "implied": implied,
    }
    return feature_matrix(RERANKER_INPUTS, values, len(tags))
