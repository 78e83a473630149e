"""From a question's terms to a score for each tag: TF-IDF times the weights of the regressions."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.bundle import Array
from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints

_TERMS_PER_BLOCK: Final = 4_096


class ScorerArrays(NamedTuple):
    """The arrays of a bundle. A weight is a stored value times the step of its term.

    A common term has a row with a value for every tag. Other terms have only the values that are
    not 0. Values are 8-bit integers, or 32-bit floats in a model that was not pruned.
    """

    term_weights: Array
    """Shape (n_terms,): the weight of a single occurrence of each term, before scaling."""
    steps: Array
    """Shape (n_terms,): in log-odds."""
    common: Array
    """Shape (n_common,): the terms that have rows, in ascending order."""
    rows: Array
    """Shape (n_common, n_tags)."""
    starts: Array
    """Shape (n_terms + 1,), ascending from 0: where the values of each term begin in `values`.
    Common terms have none there. A bundle has how many values each term has."""
    gaps: Array
    """Shape (n_values,), bytes: how far the tag of each value is behind that of the value before;
    for the first value of a term, the number of its tag. Where a byte is too small, there are
    values of 0 in between."""
    values: Array
    """Shape (n_values,)."""
    intercepts: Array
    """Shape (n_tags,): in log-odds."""
    off_topic_weights: Array
    """Shape (n_terms,), 8-bit integers: how much each term speaks for a text that is no question
    about any tag. 0 in a model that was trained without such texts."""
    off_topic_scale: Array
    """Shape (2,): the step of these weights, and the intercept, in log-odds."""


class Scorer:
    """TF-IDF and one logistic regression per tag.

    A term that occurs ``n`` times weighs ``(1 + ln n) idf`` times a constant of its kind. The
    weights of a question are scaled to length 1. This is the sublinear TF-IDF of Manning, Raghavan
    and Schütze (2008), "Introduction to Information Retrieval", section 6.4.1, as scikit-learn
    computes it.

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
        self._arrays = arrays._replace(starts=arrays.starts.astype(np.uint32))
        self._row_of = {term: row for row, term in enumerate(arrays.common.tolist())}

    def scores(self, found: FoundTerms) -> Floats:
        """Score every tag.

        Returns
        -------
        ndarray of float, shape (n_tags,)
            In log-odds.
        """
        scores = self._arrays.intercepts.astype(np.float64)
        for term, factor in zip(found.terms.tolist(), self._factors(found).tolist(), strict=True):
            if (row := self._row_of.get(term)) is not None:
                scores += factor * self._arrays.rows[row]
            else:
                tags, values = self._values_of(term)
                scores[tags] += factor * values
        return scores

    def off_topic_score(self, found: FoundTerms) -> float:
        """Give the log-odds that the text is no question about any tag."""
        weights = self._arrays.off_topic_weights[found.terms].astype(np.float64)
        step, intercept = self._arrays.off_topic_scale.tolist()
        return float(self._tfidf(found) @ weights * step + intercept)

    def contributions(self, found: FoundTerms, tag: int) -> Floats:
        """Give what each term adds to the score of a tag; shape (n_found,)."""
        return self._factors(found) * [self._value(term, tag) for term in found.terms.tolist()]

    @property
    def starts(self) -> Array:
        """Where the values of each term begin; see `ScorerArrays`."""
        return self._arrays.starts

    def intercept(self, tag: int) -> float:
        """Give the score that a tag has without any term."""
        return float(self._arrays.intercepts[tag])

    def _factors(self, found: FoundTerms) -> Floats:
        """Give the factor of each term's values, its TF-IDF times its step; shape (n_found,)."""
        return self._tfidf(found) * self._arrays.steps[found.terms].astype(np.float64)

    def _tfidf(self, found: FoundTerms) -> Floats:
        """Give the TF-IDF of each term, scaled to length 1; shape (n_found,)."""
        term_weights = self._arrays.term_weights[found.terms].astype(np.float64)
        tfidf: Floats = (1 + np.log(found.counts)) * term_weights
        return tfidf / (float(np.sqrt(tfidf @ tfidf)) or 1.0)

    def _values_of(self, term: int) -> tuple[Ints, npt.NDArray[np.float64]]:
        """Give the tags and the values of a term that has no row."""
        place = slice(int(self._arrays.starts[term]), int(self._arrays.starts[term + 1]))
        tags = self._arrays.gaps[place].cumsum(dtype=np.intp)
        return tags, self._arrays.values[place].astype(np.float64)

    def _value(self, term: int, tag: int) -> float:
        if (row := self._row_of.get(term)) is not None:
            return float(self._arrays.rows[row, tag])
        tags, values = self._values_of(term)
        return float(values[tags == tag].sum())


def _check(arrays: ScorerArrays) -> None:
    n_terms, n_tags = len(arrays.term_weights), len(arrays.intercepts)
    weights = arrays.off_topic_weights
    _require(
        len(weights) == n_terms and weights.dtype == np.int8,
        "array 'off_topic_weights' does not have an 8-bit integer per term",
    )
    starts, common = arrays.starts, arrays.common
    # A count may be as large as a 64-bit number, so that a sum of counts may go back.
    is_ascending = bool((starts[1:] >= starts[:-1]).all())
    ends_well = int(starts[-1]) == len(arrays.values) == len(arrays.gaps)
    _require(
        len(starts) == n_terms + 1 and int(starts[0]) == 0 and is_ascending and ends_well,
        "array 'weights_count' does not add up to the length of 'weights_value' and 'weights_gap'",
    )
    _require(
        all(bool((tags < n_tags).all()) for tags in _last_tags(arrays)),
        "array 'weights_gap' leads to a tag that does not exist",
    )
    _require(
        bool((common[1:] > common[:-1]).all()) and int(common[-1:].sum()) < n_terms,
        "array 'common_terms' is not ascending or contains a term that does not exist",
    )
    _require(
        not (starts[1:] - starts[:-1])[common].any(),
        "a term of 'common_terms' also has values in 'weights_value'",
    )
    _require(
        arrays.rows.shape == (len(common), n_tags),
        "array 'common_weights' does not have a row per common term and a column per tag",
    )


def _last_tags(arrays: ScorerArrays) -> Iterator[Ints]:
    """Yield the last tags of the terms with values, a block of terms at a time.

    The last tag of a term is the sum of its gaps. Sums over all terms at once would need much
    memory, and to get it takes longer than to compute them.
    """
    starts = arrays.starts.astype(np.intp)
    firsts = starts[:-1][starts[1:] > starts[:-1]]
    for place in range(0, len(firsts), _TERMS_PER_BLOCK):
        block = firsts[place : place + _TERMS_PER_BLOCK]
        following = firsts[place + _TERMS_PER_BLOCK :]
        end = following[0] if len(following) else len(arrays.gaps)
        yield np.add.reduceat(arrays.gaps[block[0] : end], block - block[0], dtype=np.int64)


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
