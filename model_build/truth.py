"""Which question has which tag, and which questions can judge it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model_build.questions import Question

Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """The tags of a corpus, question by question."""

    marks: sp.csc_matrix
    """Bool, shape (n_questions, n_tags)."""
    scope: npt.NDArray[np.intp]
    """Shape (n_questions,): which of `judged` limits a question; -1: its tags are complete."""
    judged: list[Marks]
    """The tags, shape (n_tags,), that each cut-down corpus can judge."""

    @classmethod
    def of(cls, questions: Sequence[Question], tags: Sequence[str]) -> Self:
        """Collect the truth of questions for some tags, in their order."""
        number = {tag: place for place, tag in enumerate(tags)}
        marks = [
            (row, number[tag])
            for row, question in enumerate(questions)
            for tag in question.tags
            if tag in number
        ]
        rows, columns = np.array(marks, dtype=np.intp).reshape(-1, 2).T
        shape = (len(questions), len(tags))
        scopes: dict[frozenset[str] | None, int] = {None: -1}
        for question in questions:
            scopes.setdefault(question.judged_tags, len(scopes) - 1)
        return cls(
            sp.csc_matrix((np.ones(len(marks), dtype=bool), (rows, columns)), shape=shape),
            np.array([scopes[question.judged_tags] for question in questions], dtype=np.intp),
            [np.array([tag in judged for tag in tags]) for judged in scopes if judged is not None],
        )

    def present(self, tag: int) -> Marks:
        """Mark the questions that have a tag; shape (n_questions,)."""
        column: Marks = self.marks[:, [tag]].toarray().ravel()
        return column

    def judges(self, tag: int) -> Marks:
        """Mark the questions where a missing tag means that it is absent; shape (n_questions,)."""
        can_judge = np.array([judged[tag] for judged in self.judged] + [True])
        return can_judge[self.scope]  # -1, complete, is the last

    def part(self, rows: npt.NDArray[np.intp]) -> Self:
        """The truth of some of the questions."""
        return type(self)(self.marks[rows], self.scope[rows], self.judged)
