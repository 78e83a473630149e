"""Count how often the names of tags, and their well-known synonyms, occur in a question."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints, Vocabulary


class NameArrays(NamedTuple):
    """The names of all tags, as a bundle stores them.

    A name of one word is stored as the term of that word. A longer name is stored as the terms of
    its pairs of neighbouring words.
    """

    terms: Ints
    """Shape (n_name_terms,): the terms of the first name, then those of the second, and so on."""
    name_starts: Ints
    """Shape (n_names,): where the terms of each name start in `terms`."""
    tag_starts: Ints
    """Shape (n_tags,): where the names of each tag start in `name_starts`. Every tag has a name."""


class NameCounts(NamedTuple):
    """How often the name of a tag occurs in each field, by tag number; tags with 0 are left out."""

    title: dict[int, int]
    prose: dict[int, int]
    code: dict[int, int]
    capitals: Collection[int] | None = None
    """The tags with a name of one word that has a capital letter in the title. None if the title
    does not tell names from other words; see `QuestionTokens.capitals`."""

    def counts_of(self, tags: Ints) -> Floats:
        """Give the counts of some tags.

        Parameters
        ----------
        tags : ndarray of int, shape (n,)

        Returns
        -------
        ndarray of float, shape (3, n)
            For title, prose and code.
        """
        numbers = tags.tolist()
        return np.array([[field.get(tag, 0) for tag in numbers] for field in self[:3]], np.float64)


class TagNames:
    """Counts the names of tags in questions.

    Parameters
    ----------
    arrays : NameArrays
    vocabulary : Vocabulary

    Raises
    ------
    ValueError
        The arrays do not fit together, or name a term that the vocabulary does not have.
    """

    def __init__(self, arrays: NameArrays, vocabulary: Vocabulary) -> None:
        terms = arrays.terms
        fits = (
            _are_starts(arrays.name_starts, len(terms))
            and _are_starts(arrays.tag_starts, len(arrays.name_starts))
            and bool(((terms >= 0) & (terms < len(vocabulary))).all())
        )
        if not fits:
            raise ValueError(
                "its names of tags do not fit together, or name a term that does not exist"
            )
        self._title_weight = vocabulary.title_weight
        # The same word in code is another term. -1: no word of the vocabulary.
        in_code = vocabulary.in_code(terms).tolist()
        self._text_terms = {
            code: text for code, text in zip(in_code, terms.tolist(), strict=True) if code >= 0
        }
        self._names_by_first_term: dict[int, list[tuple[int, list[int]]]] = {}
        for tag, first, others in _names_of(arrays):
            self._names_by_first_term.setdefault(first, []).append((tag, others))

    def count(self, found: FoundTerms, with_capital: Sequence[int] | None) -> NameCounts:
        """Count names in each field; if a tag has several names, the most frequent one counts.

        Parameters
        ----------
        found : FoundTerms
        with_capital : sequence of int or None
            See `Vocabulary.with_capital`.
        """
        title: dict[int, int] = {}
        prose: dict[int, int] = {}
        code: dict[int, int] = {}
        for term, count, in_title, from_code in zip(
            *(each.tolist() for each in found), strict=True
        ):
            if term in self._text_terms:
                code[self._text_terms[term]] = count
                continue
            in_prose = count - in_title * self._title_weight - from_code
            if in_title:
                title[term] = in_title
            if in_prose:
                prose[term] = in_prose
        return NameCounts(
            self._count_names(title),
            self._count_names(prose),
            self._count_names(code),
            None
            if with_capital is None
            else self._count_names(dict.fromkeys(with_capital, 1)).keys(),
        )

    def _count_names(self, term_counts: dict[int, int]) -> dict[int, int]:
        """Count the names in one field, by tag, from the counts of the field's terms."""
        counts: dict[int, int] = {}
        for first, count in term_counts.items():
            for tag, others in self._names_by_first_term.get(first, ()):
                # A name occurs as often as the rarest of its terms.
                of_name = min([count, *(term_counts.get(term, 0) for term in others)])
                if of_name > counts.get(tag, 0):
                    counts[tag] = of_name
        return counts


def _names_of(arrays: NameArrays) -> Iterator[tuple[int, int, list[int]]]:
    """Give the tag, the first term and the other terms of each name."""
    terms = arrays.terms.tolist()
    starts = arrays.name_starts.tolist()
    n_names = np.diff(arrays.tag_starts, append=len(starts))
    tags = np.repeat(np.arange(len(n_names)), n_names).tolist()
    for tag, start, end in zip(tags, starts, [*starts[1:], len(terms)], strict=True):
        yield tag, terms[start], terms[start + 1 : end]


def _are_starts(starts: npt.NDArray[np.intp], end: int) -> bool:
    """Whether these starts cut ``range(end)`` into parts that are not empty."""
    return (
        len(starts) > 0
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        and int(starts[-1]) < end
    )
