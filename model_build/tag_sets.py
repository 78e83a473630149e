"""The tags of questions whose text is not known."""

from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from model_build.questions import Question
from model_build.values import BadQuestionError, parse_tags, parse_whole_number


class TagSet(NamedTuple):
    """All tags of one question."""

    id: int
    tags: tuple[str, ...]

    @classmethod
    def from_row(cls, row: dict[str, object]) -> Self:
        """Make a tag set from the values of a row.

        Raises
        ------
        BadQuestionError
            The id or the tags are missing, or not of their kind.
        """
        number = parse_whole_number(row.get("id"), "id")
        if number is None:
            raise BadQuestionError("the id is missing")
        # Thousands of sets name the same tag: each name is kept in memory once.
        return cls(number, tuple(map(intern, parse_tags(row.get("tags")))))


def without_doubles(tag_sets: Iterable[TagSet], questions: Iterable[Question]) -> list[TagSet]:
    """Keep one tag set for each id, and none of a question that the corpus has.

    All tag sets, and all questions with an id, must be from one site.
    """
    seen = {question.id for question in questions}
    kept = []
    for each in tag_sets:
        if each.id not in seen:
            seen.add(each.id)
            kept.append(each)
    return kept


def tag_set_matrix(
    tag_sets: Sequence[TagSet], tags: Sequence[str], synonyms: Mapping[str, str]
) -> sp.csr_matrix:
    """Mark the tags of each set; bool, shape (n_sets, n_tags).

    Parameters
    ----------
    tag_sets : sequence of TagSet
    tags : sequence of str
        The columns. Other tags are left out.
    synonyms : mapping of str to str
        Each synonym with the tag that it stands for.
    """
    column_of = {tag: column for column, tag in enumerate(tags)}
    column_of |= {name: column_of[tag] for name, tag in synonyms.items() if tag in column_of}
    columns = [
        sorted({column_of[tag] for tag in each.tags if tag in column_of}) for each in tag_sets
    ]
    starts = np.cumsum([0, *map(len, columns)])
    indices = np.array([column for of_set in columns for column in of_set], dtype=np.int32)
    marks = np.ones(len(indices), dtype=np.bool_)
    return sp.csr_matrix((marks, indices, starts), shape=(len(tag_sets), len(tags)))
