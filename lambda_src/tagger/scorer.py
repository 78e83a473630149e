"""From a question's terms to a score for each tag: TF-IDF times the weights of the regressions."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints


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
        self._arrays = arrays
        # No term has the number behind the last one.
        self._common = np.append(arrays.common, np.uint32(len(arrays.steps)))

    def scores(self, found: FoundTerms) -> Floats:
        """Give each tag's score, the log-odds of its regression; shape (n_tags,)."""
        arrays, factors = self._arrays, self._factors(found)
        rows, is_common = self._rows_of(found.terms)
        of_common = arrays.rows[rows[is_common]].astype(np.float32, copy=False)
        owners, places = self._weights_of(found.terms)
        weights = arrays.values[places] * factors[owners]
        of_others = np.bincount(arrays.tags[places], weights, len(arrays.intercepts))
        scores: Floats = of_others + factors[is_common] @ of_common + arrays.intercepts
        return scores

    def contributions(self, found: FoundTerms, tag: int) -> Floats:
        """Say what each term adds to one tag's score; shape (n_found,)."""
        rows, is_common = self._rows_of(found.terms)
        owners, places = self._weights_of(found.terms)
        mine = self._arrays.tags[places] == tag
        values = np.zeros(len(found.terms))
        values[is_common] = self._arrays.rows[rows[is_common], tag]
        values[owners[mine]] = self._arrays.values[places[mine]]
        return values * self._factors(found)

    def intercept(self, tag: int) -> float:
        """Give what one tag's score is without any term."""
        return float(self._arrays.intercepts[tag])

    def _factors(self, found: FoundTerms) -> npt.NDArray[np.float32]:
        """By what each term's weights are multiplied: its TF-IDF times its step."""
        weights, steps = self._arrays.term_weights[found.terms], self._arrays.steps[found.terms]
        tfidf = (1 + np.log(found.counts, dtype=np.float32)) * weights
        length = np.sqrt(tfidf @ tfidf) or np.float32(1)
        factors: npt.NDArray[np.float32] = (tfidf * steps / length).astype(np.float32, copy=False)
        return factors

    def _rows_of(self, terms: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Give the row of each term, and whether it has one."""
        rows = self._common.searchsorted(terms)
        return rows, self._common[rows] == terms

    def _weights_of(self, terms: Ints) -> tuple[Ints, Ints]:
        """Give the places of all the terms' weights that are in no row, and whose each one is."""
        starts = self._arrays.starts[terms].astype(np.intp)
        lengths = self._arrays.starts[terms + 1].astype(np.intp) - starts
        owners = np.arange(len(terms)).repeat(lengths)
        # From a place among all that are read to the same place in the arrays.
        shifts = starts - lengths.cumsum() + lengths
        return owners, shifts.repeat(lengths) + np.arange(len(owners))


def _check(arrays: ScorerArrays) -> None:
    n_terms, n_tags = len(arrays.term_weights), len(arrays.intercepts)
    starts, common = arrays.starts, arrays.common
    _require(len(starts) == n_terms + 1 and int(starts[0]) == 0, "its weights do not add up")
    _require(int(starts[-1]) == len(arrays.values), "its weights do not add up")
    _require(bool((starts[1:] >= starts[:-1]).all()), "its weights are not in order")
    _require(len(arrays.tags) == len(arrays.values), "its weights do not add up")
    _require(not len(arrays.tags) or int(arrays.tags.max()) < n_tags, "a weight has no tag")
    in_order = bool((common[1:] > common[:-1]).all()) and int(common[-1:].sum()) < n_terms
    alone = in_order and not (starts[1:] - starts[:-1])[common].any()
    _require(alone and arrays.rows.shape == (len(common), n_tags), "its common terms do not fit")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
