"""A question of a corpus: what every reader yields and every part of the training takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from lambda_src.tagger.markup import StoredFormat, detect_format
from model_build.values import (
    BadQuestionError,
    parse_date,
    parse_tags,
    parse_text,
    parse_whole_number,
    parse_year_end,
)

__all__ = ["BadQuestionError", "Question", "parse_tags"]

_MAX_TITLE_CHARACTERS = 1_000
"""A longer title is two columns, or rows, that a broken file runs together."""
_FORMATS: dict[str, StoredFormat] = {
    "html": "html",
    "markdown": "markdown",
    "md": "markdown",
    "text": "text",
    "plain": "text",
}
_BODIES: dict[str, StoredFormat | None] = {
    "body": None,
    "body_html": "html",
    "body_markdown": "markdown",
}
"""The fields that may hold the body, by preference, with the format that the name promises."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the tags that its asker ended with."""

    title: str
    body: str
    tags: tuple[str, ...]
    id: int | None = None
    site: str | None = None
    creation_date: datetime | None = None
    """In UTC, without a time zone. Where a corpus only knows the year, the year's last day: a part
    of a time-ordered split then holds no question that is newer than its date."""
    view_count: int | None = None
    score: int | None = None
    answer_count: int | None = None
    judged_tags: frozenset[str] | None = None
    """The tags that a corpus was cut down to: any other tag is unknown, not absent. None: the tags
    are complete."""
    body_format: StoredFormat = "html"
    """How to read the body. Readers set it for every question."""
    source: str | None = None
    """Which collection the question comes from, where a corpus joins several."""

    @classmethod
    def from_row(cls, row: dict[str, object], *, has_tags: bool = True) -> Self:
        """Make a question from a row.

        Parameters
        ----------
        row : dict
            Values by the names of this class's fields. The body may also be called ``body_html``
            or ``body_markdown``, which says its format; ``body_format`` says it for any of them.
            Without either, the format is detected. ``creation_date_est`` (a date) and
            ``creation_year_est`` (a year) stand in for a missing creation date, in this order.
        has_tags : bool
            False for a question whose tags are not known.

        Raises
        ------
        BadQuestionError
            Title or tags are missing, or a value is not of its kind.
        """
        title = parse_text(row.get("title"), "title").replace("\0", " ").strip()
        if not title:
            raise BadQuestionError("the title is empty")
        if len(title) > _MAX_TITLE_CHARACTERS:
            raise BadQuestionError(f"the title is too long: it has {len(title)} characters")
        body, body_format = _body(row)
        return cls(
            title=title,
            body=body,
            body_format=body_format,
            tags=parse_tags(row.get("tags")) if has_tags else (),
            id=parse_whole_number(row.get("id"), "id"),
            site=parse_text(row.get("site"), "site") or None,
            source=parse_text(row.get("source"), "source") or None,
            creation_date=parse_date(row.get("creation_date"), "creation_date")
            or parse_date(row.get("creation_date_est"), "creation_date_est")
            or parse_year_end(row.get("creation_year_est"), "creation_year_est"),
            view_count=parse_whole_number(row.get("view_count"), "view_count"),
            score=parse_whole_number(row.get("score"), "score"),
            answer_count=parse_whole_number(row.get("answer_count"), "answer_count"),
        )


def _body(row: dict[str, object]) -> tuple[str, StoredFormat]:
    named = parse_text(row.get("body_format"), "body_format").strip().lower()
    if named and named not in _FORMATS:
        raise BadQuestionError(f"body_format is not html, markdown or text: {named!r:.80}")
    given = _FORMATS.get(named)
    for name, promised in _BODIES.items():
        body = parse_text(row.get(name), name)
        if body.strip():
            return body, given or promised or detect_format(body)
    return "", given or "html"
