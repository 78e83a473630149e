"""Pack the weights of the regressions into the arrays of a bundle."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.rules import COMMON_TERM_SHARE, STEPS_PER_WEIGHT, WORD_BITS
from lambda_src.tagger.scorer import ScorerArrays
from lambda_src.tagger.vocabulary import Integers, Ints, Keys, TermArrays

_MAX_GAP: Final = np.iinfo(np.uint8).max


def pack(
    weights: Any,
    term_weights: npt.NDArray[np.floating],
    intercepts: npt.NDArray[np.floating],
    off_topic_weights: npt.NDArray[np.floating],
    off_topic_intercept: float,
    *,
    rounded: bool,
) -> ScorerArrays:
    """Store common terms as whole rows, and round each weight to whole steps of its term.

    Parameters
    ----------
    weights : csr_matrix of float, shape (n_terms, n_tags)
    term_weights : ndarray of float, shape (n_terms,)
        See `lambda_src.tagger.scorer.ScorerArrays`.
    intercepts : ndarray of float, shape (n_tags,)
    off_topic_weights : ndarray of float, shape (n_terms,)
        Of the regression for off-topic texts.
    off_topic_intercept : float
    rounded : bool
        False keeps the weights of the tags and terms as they are, which takes up to four times the
        space.
    """
    n_terms, n_tags = weights.shape
    lengths = np.diff(weights.indptr)
    terms = np.repeat(np.arange(n_terms), lengths)
    if rounded:
        steps, values = _round(weights.data, terms, n_terms)
    else:
        steps, values = np.ones(n_terms, np.float16), weights.data.astype(np.float32)
    common = np.flatnonzero(lengths > COMMON_TERM_SHARE * n_tags)
    row = np.full(n_terms, -1)
    row[common] = np.arange(len(common))
    in_rows = row[terms] >= 0
    rows = np.zeros((len(common), n_tags), dtype=values.dtype)
    rows[row[terms[in_rows]], weights.indices[in_rows]] = values[in_rows]
    kept = ~in_rows & (values != 0)
    starts = np.concatenate([[0], np.cumsum(np.bincount(terms[kept], minlength=n_terms))])
    starts, gaps, values = pack_tags(starts, weights.indices[kept], values[kept])
    step = np.abs(off_topic_weights).max(initial=0) / STEPS_PER_WEIGHT
    return ScorerArrays(
        term_weights=term_weights.astype(np.float16 if rounded else np.float32),
        steps=steps,
        common=common.astype(np.uint32),
        rows=rows,
        starts=starts,
        gaps=gaps,
        values=values,
        intercepts=intercepts.astype(np.float32),
        off_topic_weights=np.rint(off_topic_weights / (step or 1)).astype(np.int8),
        off_topic_scale=np.array([step, off_topic_intercept], np.float32),
    )


def pack_terms(keys: Keys, n_words: int) -> TermArrays:
    """Write terms as a bit for each word of text and of code, and the pairs of words.

    Parameters
    ----------
    keys : ndarray of int64, shape (n_terms,)
        Ascending; see `lambda_src.tagger.vocabulary.term_key`.
    n_words : int
    """
    first, second = np.divmod(keys, 1 << WORD_BITS)
    is_code, is_pair = first >= 1 << WORD_BITS, second > 0
    in_text, in_code = np.zeros((2, n_words), dtype=np.bool_)
    in_text[first[~is_code & ~is_pair]] = True
    in_code[first[is_code] - (1 << WORD_BITS)] = True
    return TermArrays(
        np.packbits(in_text),
        np.packbits(in_code),
        narrow(np.diff(first[is_pair], prepend=0)),
        narrow(second[is_pair] - 1),
    )


def narrow(numbers: Integers | Ints) -> npt.NDArray[np.unsignedinteger]:
    """Store numbers that are not negative in 16 bits each, or in 32 if one of them needs it."""
    fits = int(numbers.max(initial=0)) <= np.iinfo(np.uint16).max
    return numbers.astype(np.uint16 if fits else np.uint32)


def pack_tags(
    starts: npt.NDArray[np.integer], tags: npt.NDArray[np.integer], values: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8], npt.NDArray[Any]]:
    """Write the tag of each value as its distance from the tag before, in one byte.

    Where a distance does not fit into a byte, values of 0 are put in between.

    Parameters
    ----------
    starts : ndarray of int, shape (n_terms + 1,)
        Where the values of each term begin.
    tags : ndarray of int, shape (n_values,)
        Ascending within each term.
    values : ndarray, shape (n_values,)

    Returns
    -------
    starts, gaps, values : ndarray
        See `lambda_src.tagger.scorer.ScorerArrays`.
    """
    distances = np.diff(tags.astype(np.int64), prepend=0)
    firsts = starts[:-1][np.diff(starts) > 0]
    distances[firsts] = tags[firsts]
    n_between = np.maximum(distances - 1, 0) // _MAX_GAP
    places = np.cumsum(n_between + 1) - 1
    n_packed = len(tags) + int(n_between.sum())
    gaps = np.full(n_packed, _MAX_GAP, np.uint8)
    gaps[places] = distances - _MAX_GAP * n_between
    packed = np.zeros(n_packed, values.dtype)
    packed[places] = values
    ends = np.concatenate([[0], np.cumsum(n_between + 1)])
    return ends[starts].astype(np.uint32), gaps, packed


def _round(
    weights: npt.NDArray[np.floating], terms: npt.NDArray[np.intp], n_terms: int
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int8]]:
    """Give the step of each term, shape (n_terms,), and each weight as a number of steps."""
    largest = np.zeros(n_terms)
    np.maximum.at(largest, terms, np.abs(weights))
    # The weights are divided by the rounded steps, since those are the ones that the bundle holds.
    steps = (largest / STEPS_PER_WEIGHT).astype(np.float16)
    step_sizes = steps[terms].astype(np.float64)
    in_steps = np.divide(weights, step_sizes, out=np.zeros(len(terms)), where=step_sizes > 0)
    return steps, np.rint(in_steps).clip(-STEPS_PER_WEIGHT, STEPS_PER_WEIGHT).astype(np.int8)
