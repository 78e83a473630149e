"""Sort questions by what they consist of, and by their year."""

from collections.abc import Sequence
from typing import Final

from lambda_src.tagger.markup import split_body
from model_build.questions import Question

TITLES_ALONE: Final = "titles alone"
WITH_BODIES: Final = "with bodies"
WITH_CODE: Final = "with code"
"""Questions whose bodies contain code: a part of those with bodies."""


def rows_by_kind(questions: Sequence[Question]) -> dict[str, list[int]]:
    """List the questions of each kind; a kind without questions has an empty list."""
    rows: dict[str, list[int]] = {TITLES_ALONE: [], WITH_BODIES: [], WITH_CODE: []}
    for row, question in enumerate(questions):
        has_body = bool(question.body.strip())
        rows[WITH_BODIES if has_body else TITLES_ALONE].append(row)
        if has_body and split_body(question.body, question.body_format).code.strip():
            rows[WITH_CODE].append(row)
    return rows


def rows_by_year(questions: Sequence[Question]) -> dict[int, list[int]]:
    """List the dated questions of each year, earliest year first."""
    rows: dict[int, list[int]] = {}
    for row, question in enumerate(questions):
        if question.creation_date is not None:
            rows.setdefault(question.creation_date.year, []).append(row)
    return dict(sorted(rows.items()))
