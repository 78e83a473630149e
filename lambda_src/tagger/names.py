"""Whether a tag's name, or a well-known synonym of it, stands in the question."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints, Vocabulary

_CODE: Final = -1
"""The term t, in code, is written _CODE - t."""


class NameArrays(NamedTuple):
    """The names of all tags as a bundle keeps them.

    A name of one word is that word's term, a longer one the terms of its pairs of neighbours.
    """

    terms: Ints
    """Name after name."""
    name_starts: Ints
    """Shape (n_names,): where each name begins in `terms`."""
    tag_starts: Ints
    """Shape (n_tags,): where each tag's names begin; every tag has one."""


class NameCounts(NamedTuple):
    """How often the names of tags stand in each field, by the numbers of the tags that do."""

    title: dict[int, int]
    prose: dict[int, int]
    code: dict[int, int]

    def of(self, tags: Ints) -> Floats:
        """Lay the counts of some tags out, shape (3, n_tags)."""
        numbers = tags.tolist()
        return np.array([[field.get(tag, 0) for tag in numbers] for field in self], np.float64)


class TagNames:
    """Counts the names of tags in questions.

    Parameters
    ----------
    arrays : NameArrays
    vocabulary : Vocabulary

    Raises
    ------
    ValueError
        The arrays do not fit each other or the vocabulary.
    """

    def __init__(self, arrays: NameArrays, vocabulary: Vocabulary) -> None:
        terms = arrays.terms
        fits = (
            _rising(arrays.name_starts, len(terms))
            and _rising(arrays.tag_starts, len(arrays.name_starts))
            and bool(((terms >= 0) & (terms < len(vocabulary))).all())
        )
        if not fits:
            raise ValueError("the names of its tags do not fit each other")
        self._title_weight = vocabulary.title_weight
        # The terms that are part of a name or the same word in code, and what stands for each.
        words_in_code = vocabulary.in_code(terms)
        known = words_in_code >= 0
        watched = np.append(terms, words_in_code[known])
        watched, places = np.unique(watched, return_index=True)
        # No term has the number behind the last one.
        self._watched = np.append(watched, len(vocabulary))
        self._parts = np.append(terms, _CODE - terms[known])[places]
        # By their first parts: a name is only where that one is.
        self._names: dict[int, list[tuple[int, list[int]]]] = {}
        for tag, first, others in _names_of(arrays):
            self._names.setdefault(first, []).append((tag, others))

    def count(self, found: FoundTerms) -> NameCounts:
        """Count names in each field; the commonest name of a tag counts."""
        watched = self._watched.searchsorted(found.terms)
        places = (self._watched.take(watched) == found.terms).nonzero()[0]
        title: dict[int, int] = {}
        prose: dict[int, int] = {}
        code: dict[int, int] = {}
        for part, count, in_title in zip(
            self._parts.take(watched.take(places)).tolist(),
            found.counts.take(places).tolist(),
            found.in_title.take(places).tolist(),
            strict=True,
        ):
            if part < 0:
                code[_CODE - part] = count
                continue
            if in_title:
                title[part] = in_title
            if elsewhere := count - in_title * self._title_weight:
                prose[part] = elsewhere
        return NameCounts(self._count(title), self._count(prose), self._count(code))

    def _count(self, parts: dict[int, int]) -> dict[int, int]:
        counts: dict[int, int] = {}
        for part, times in parts.items():
            for tag, others in self._names.get(part, ()):
                # A name stands there as often as the rarest of its parts.
                whole = min(times, *[parts.get(other, 0) for other in others]) if others else times
                if whole > counts.get(tag, 0):
                    counts[tag] = whole
        return counts


def _names_of(arrays: NameArrays) -> Iterator[tuple[int, int, list[int]]]:
    """Give each name's tag, first term and other terms."""
    terms = arrays.terms.tolist()
    starts = arrays.name_starts.tolist()
    n_names = np.diff(arrays.tag_starts, append=len(starts))
    tags = np.repeat(np.arange(len(n_names)), n_names).tolist()
    for tag, start, end in zip(tags, starts, [*starts[1:], len(terms)], strict=True):
        yield tag, terms[start], terms[start + 1 : end]


def _rising(starts: npt.NDArray[np.intp], end: int) -> bool:
    """Whether parts that begin there are none of them empty, up to the end."""
    return (
        len(starts) > 0
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        and int(starts[-1]) < end
    )
