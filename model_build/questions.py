"""A question of a corpus, as every reader gives it and every trainer takes it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_TAG = re.compile(r"[^\s<>|,\"]{1,64}")
_BRACKETED = re.compile(r"<([^<>]*)>")


class BadQuestionError(ValueError):
    """A row that is no usable question: the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the tags that its asker ended with."""

    title: str
    body_html: str
    tags: tuple[str, ...]
    id: int | None = None
    site: str | None = None
    creation_date: datetime | None = None
    view_count: int | None = None
    score: int | None = None
    answer_count: int | None = None
    judged_tags: frozenset[str] | None = None
    """Where a corpus was cut down to some tags: those. A missing tag outside them is unknown, not
    absent. None: the tags are complete."""

    @classmethod
    def from_row(cls, row: dict[str, object]) -> Self:
        """Make a question of a row with the names of this class's fields.

        Raises
        ------
        BadQuestionError
            Title or tags are missing, or a value is not of its kind.
        """
        title = _text(row.get("title"), "title").strip()
        if not title:
            raise BadQuestionError("the title is empty")
        return cls(
            title=title,
            body_html=_text(row.get("body_html"), "body_html"),
            tags=parse_tags(row.get("tags")),
            id=_whole(row.get("id"), "id"),
            site=_text(row.get("site"), "site") or None,
            creation_date=_date(row.get("creation_date")),
            view_count=_whole(row.get("view_count"), "view_count"),
            score=_whole(row.get("score"), "score"),
            answer_count=_whole(row.get("answer_count"), "answer_count"),
        )


def parse_tags(value: object) -> tuple[str, ...]:
    """Read tags given as a list, as ``<a><b>``, as ``|a|b|`` or with blanks between them.

    Raises
    ------
    BadQuestionError
        There is none, or one is no possible tag.
    """
    names: Iterable[object]
    if _absent(value):
        names = ()
    elif isinstance(value, str):
        text = value.strip()
        if text.startswith("<"):
            names = _BRACKETED.findall(text)
        else:
            names = text.replace("|", " ").replace(",", " ").split()
    elif isinstance(value, Iterable):
        names = value
    else:
        raise BadQuestionError(f"the tags are neither a list nor a text: {value!r:.80}")
    tags = tuple(dict.fromkeys(str(name).strip().lower() for name in names))
    if not tags:
        raise BadQuestionError("there are no tags")
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise BadQuestionError(f"{tag!r:.80} is no possible tag")
    return tags


def _absent(value: object) -> bool:
    # NaN, which data frames put where nothing is, is the one value that differs from itself.
    return value is None or value == "" or (isinstance(value, float) and value != value)  # noqa: PLR0124


def _text(value: object, name: str) -> str:
    if _absent(value):
        return ""
    if not isinstance(value, str):
        raise BadQuestionError(f"the {name} is not a text: {value!r:.80}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadQuestionError(f"the {name} is not valid UTF-8") from None
    return value


def _whole(value: object, name: str) -> int | None:
    if _absent(value):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
        if number == int(number):
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadQuestionError(f"the {name} is no whole number: {value!r:.80}")


def _date(value: object) -> datetime | None:
    if _absent(value):
        return None
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise BadQuestionError(
                f"the creation_date is no ISO 8601 date: {value!r:.80}"
            ) from None
    # Exports give UTC without saying so: all dates are kept like that, to be comparable.
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
