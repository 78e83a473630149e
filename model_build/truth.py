"""The true tags of a corpus, and which questions can say that a tag is absent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model_build.questions import Question

Booleans = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Truth:
    """The true tags of some questions, as a matrix.

    Some corpora are reduced to a few tags: their questions may have other tags, too. Such a
    question can say that one of the few tags is absent, but not that another tag is absent.
    """

    has_tag: sp.csc_matrix
    """Bool, shape (n_questions, n_tags)."""
    scope: npt.NDArray[np.intp]
    """Shape (n_questions,): the entry of `judged_tags` for each question; -1: all its tags are
    known."""
    judged_tags: list[Booleans]
    """For each reduced corpus the tags that it can judge; shape (n_tags,) each."""

    @classmethod
    def of(cls, questions: Sequence[Question], tags: Sequence[str]) -> Self:
        """Collect the truth of some questions.

        Parameters
        ----------
        questions : sequence of Question
        tags : sequence of str
            The columns. Other tags of the questions are left out.
        """
        column_of = {tag: column for column, tag in enumerate(tags)}
        places = [
            (row, column_of[tag])
            for row, question in enumerate(questions)
            for tag in question.tags
            if tag in column_of
        ]
        rows, columns = np.array(places, dtype=np.intp).reshape(-1, 2).T
        shape = (len(questions), len(tags))
        scopes: dict[frozenset[str] | None, int] = {None: -1}
        for question in questions:
            scopes.setdefault(question.judged_tags, len(scopes) - 1)
        return cls(
            sp.csc_matrix((np.ones(len(places), dtype=bool), (rows, columns)), shape=shape),
            np.array([scopes[question.judged_tags] for question in questions], dtype=np.intp),
            [np.array([tag in judged for tag in tags]) for judged in scopes if judged is not None],
        )

    @property
    def complete_rows(self) -> Rows:
        """The questions whose tags are all known; shape (n_complete,)."""
        return np.flatnonzero(self.scope == -1)

    def present(self, tag: int) -> Booleans:
        """Mark the questions that have a tag; shape (n_questions,)."""
        column: Booleans = self.has_tag[:, [tag]].toarray().ravel()
        return column

    def can_judge(self, tag: int) -> Booleans:
        """Mark the questions that do not have a tag if it is missing; shape (n_questions,)."""
        # The last entry is for questions whose tags are all known: their scope is -1.
        judges = np.array([judged[tag] for judged in self.judged_tags] + [True])
        return judges[self.scope]

    def __getitem__(self, rows: Rows) -> Self:
        """Select some of the questions."""
        return type(self)(self.has_tag[rows], self.scope[rows], self.judged_tags)
