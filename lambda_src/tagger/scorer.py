"""From a question's terms to a score for each tag: TF-IDF times the weights of the regressions."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints

STEPS: Final = 127
"""A term's largest weight is that many of its steps."""
COMMON_SHARE: Final = 1 / 15
"""A term with weights for more tags than this share is a common one and has a weight for each.

Adding so many weights up by the numbers of their tags takes longer than multiplying all of a row.
"""


class ScorerArrays(NamedTuple):
    """What a bundle keeps: a weight is a number times the step of its term.

    Common terms have a row of numbers; the others have only those that are not 0. They are 8-bit
    integers, or 32-bit floats in a model that was not pruned.
    """

    term_weights: Array
    """Shape (n_terms,): what a single occurrence of each term weighs, before scaling."""
    steps: Array
    """Shape (n_terms,): log-odds."""
    common: Array
    """Shape (n_common,): the terms that have rows, ascending."""
    rows: Array
    """Shape (n_common, n_tags)."""
    starts: Array
    """Shape (n_terms + 1,): where each term's weights begin; a common one has none there."""
    tags: Array
    """Shape (n_weights,): the tag of each weight."""
    values: Array
    """Shape (n_weights,)."""
    intercepts: Array
    """Shape (n_tags,): log-odds."""


class _Terms(NamedTuple):
    """What the scorer knows of a question's terms, shape (n_found,) each."""

    factors: npt.NDArray[np.float32]
    """By which a term's weights are multiplied: its TF-IDF times its step."""
    starts: npt.NDArray[np.int32]
    """Where its weights begin; of a common term the number of its row."""
    lengths: npt.NDArray[np.int32]
    """How many weights it has; -1 for a common term."""


class Scorer:
    """TF-IDF and one logistic regression per tag.

    A term that occurs ``n`` times weighs ``(1 + ln n) idf`` times a constant of its kind, and a
    question's weights are scaled to length 1: the sublinear TF-IDF of Manning, Raghavan and Schütze
    (2008), "Introduction to Information Retrieval", section 6.4.1, as scikit-learn computes it.

    Parameters
    ----------
    arrays : ScorerArrays

    Raises
    ------
    ValueError
        The arrays do not fit each other.
    """

    def __init__(self, arrays: ScorerArrays) -> None:
        _check(arrays)
        self._rows, self._tags, self._values = arrays.rows, arrays.tags, arrays.values
        self._intercepts = arrays.intercepts.astype(np.float64)
        # One record per term: a term's place in memory is visited once.
        records = np.empty((len(arrays.steps), 4), np.int32)
        floats = records.view(np.float32)
        floats[:, 0], floats[:, 1] = arrays.term_weights, arrays.steps
        records[:, 2] = arrays.starts[:-1]
        records[:, 3] = np.diff(arrays.starts)
        records[arrays.common, 2] = np.arange(len(arrays.common))
        records[arrays.common, 3] = -1
        self._records = records

    def scores(self, found: FoundTerms) -> Floats:
        """Give each tag's score, the log-odds of its regression; shape (n_tags,)."""
        terms = self._terms(found)
        common = terms.lengths < 0
        rows = self._rows.take(terms.starts.compress(common), 0).astype(np.float32, copy=False)
        others, lengths, places = _places(terms)
        of_others = np.bincount(
            self._tags.take(places),
            self._values.take(places) * terms.factors.take(others).repeat(lengths),
            len(self._intercepts),
        )
        scores: Floats = of_others + terms.factors.compress(common) @ rows + self._intercepts
        return scores

    def contributions(self, found: FoundTerms, tag: int) -> Floats:
        """Say what each term adds to one tag's score; shape (n_found,)."""
        terms = self._terms(found)
        common = terms.lengths < 0
        values = np.zeros(len(common))
        values[common] = self._rows[terms.starts[common], tag]
        others, lengths, places = _places(terms)
        mine = self._tags[places] == tag
        values[others.repeat(lengths)[mine]] = self._values[places[mine]]
        return values * terms.factors

    def intercept(self, tag: int) -> float:
        """Give what one tag's score is without any term."""
        return float(self._intercepts[tag])

    def _terms(self, found: FoundTerms) -> _Terms:
        records = self._records.take(found.terms, 0)
        weight, step = records.view(np.float32).T[:2]
        tfidf = (1 + np.log(found.counts, dtype=np.float32)) * weight
        length = np.sqrt(tfidf @ tfidf)
        return _Terms(tfidf * step / (length or 1), records[:, 2], records[:, 3])


def _places(terms: _Terms) -> tuple[Ints, Ints, Ints]:
    """Name the terms without rows, how many weights each has, and where all of those are."""
    others = (terms.lengths > 0).nonzero()[0]
    lengths = terms.lengths.take(others).astype(np.intp)
    ends = lengths.cumsum()
    # From a place among all that are read to the same place in the arrays.
    shifts = terms.starts.take(others) - ends + lengths
    places = shifts.repeat(lengths) + np.arange(ends[-1] if len(ends) else 0)
    return others, lengths, places


def _check(arrays: ScorerArrays) -> None:
    n_terms, n_tags = len(arrays.term_weights), len(arrays.intercepts)
    starts, common = arrays.starts, arrays.common
    _require(len(starts) == n_terms + 1 and int(starts[0]) == 0, "its weights do not add up")
    _require(int(starts[-1]) == len(arrays.values), "its weights do not add up")
    _require(bool((starts[1:] >= starts[:-1]).all()), "its weights are not in order")
    _require(len(arrays.tags) == len(arrays.values), "its weights do not add up")
    _require(not len(arrays.tags) or int(arrays.tags.max()) < n_tags, "a weight has no tag")
    in_order = bool((common[1:] > common[:-1]).all()) and int(common[-1:].sum()) < max(n_terms, 1)
    alone = in_order and not (starts[1:] - starts[:-1])[common].any()
    _require(alone and arrays.rows.shape == (len(common), n_tags), "its common terms do not fit")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
