"""Copies of questions in which only the code remains.

Most questions with code also have a title and prose that say more, so that the regressions hardly
learn from code. A copy without title and prose makes them learn what the code alone shows. This is
field dropout: the dropout of Srivastava et al. (2014), "Dropout: A Simple Way to Prevent Neural
Networks from Overfitting", applied to whole fields of the input.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from lambda_src.tagger.analyzer import QuestionTokens
from lambda_src.tagger.vocabulary import Ints
from model_build.questions import Question

MIN_CODE_CHARACTERS: Final = 60
"""A question has a copy if the tokens of its code have more characters than this."""


def rows_with_code(questions: Sequence[Question], tokens: Sequence[QuestionTokens]) -> Ints:
    """List the questions that have a copy: those with enough code whose tags are complete.

    Parameters
    ----------
    questions : sequence of Question
    tokens : sequence of QuestionTokens
        Of the same questions.

    Returns
    -------
    ndarray of int, shape (n_copies,)
        Ascending.
    """
    rows = [
        row
        for row, (question, each) in enumerate(zip(questions, tokens, strict=True))
        if question.judged_tags is None and sum(map(len, each.code)) > MIN_CODE_CHARACTERS
    ]
    return np.array(rows, dtype=np.intp)


def code_alone(tokens: QuestionTokens) -> QuestionTokens:
    """Remove the title and the prose of a question."""
    return tokens._replace(title=[], prose=[], capitals=(), camel_parts=())
