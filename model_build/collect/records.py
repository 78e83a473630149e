"""A collected question: what training needs, and what its licence asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import pyarrow as pa

from model_build.corpus.writing import SCHEMA as QUESTION_SCHEMA
from model_build.questions import Question
from model_build.values import parse_date, parse_text, parse_whole_number

SCHEMA = pa.schema(
    [
        *QUESTION_SCHEMA,
        ("owner_name", pa.string()),
        ("owner_id", pa.int64()),
        ("content_license", pa.string()),
        ("last_edit_date", pa.timestamp("us")),
    ],
    metadata=QUESTION_SCHEMA.metadata,
)
"""The columns of a month's file."""


@dataclass(frozen=True, slots=True)
class CollectedQuestion:
    """A question with its author, its licence and the date of its last edit."""

    question: Question
    owner_name: str | None = None
    owner_id: int | None = None
    """The author's number on the site. None: the account was deleted, or the source has none."""
    content_license: str | None = None
    """As the source names it, such as ``CC BY-SA 4.0``."""
    last_edit_date: datetime | None = None

    @classmethod
    def from_row(cls, row: dict[str, object]) -> Self:
        """Make a collected question from a row; see `Question.from_row`.

        Raises
        ------
        BadQuestionError
            A required value is missing, or a value is not of its kind.
        """
        return cls.of(Question.from_row(row), row)

    @classmethod
    def of(cls, question: Question, row: dict[str, object]) -> Self:
        """Add the values of a row that training does not need to its question.

        Raises
        ------
        BadQuestionError
            A value is not of its kind.
        """
        return cls(
            question,
            owner_name=parse_text(row.get("owner_name"), "owner_name") or None,
            owner_id=parse_whole_number(row.get("owner_id"), "owner_id"),
            content_license=parse_text(row.get("content_license"), "content_license") or None,
            last_edit_date=parse_date(row.get("last_edit_date"), "last_edit_date"),
        )

    def values(self) -> dict[str, Any]:
        """Return the values by the columns of `SCHEMA`."""
        of_question = {name: getattr(self.question, name) for name in QUESTION_SCHEMA.names}
        own = {name: getattr(self, name) for name in SCHEMA.names[len(QUESTION_SCHEMA) :]}
        return of_question | own
