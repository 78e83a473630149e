"""Ranges of time, and how they are walked with few requests and without losing a question.

The API gives at most 100 questions at a time, and pages are a bad way to ask for the next ones: if
a question is deleted in the meantime, all others move up, and one of them is never seen. So each
request asks for the first page of a window that begins a moment before the newest question so far.
The windows overlap, and the same question in two windows is dropped by its id. A window never holds
more than one page, except where more than 100 questions share the same moment.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from model_build.collect.stack_exchange import StackExchange

OVERLAP = 1
"""Seconds that a window shares with the one before it."""


class Range(NamedTuple):
    """The seconds from `since` up to, but not including, `until`."""

    since: int
    until: int


class Step(NamedTuple):
    """The questions of a window that no window before it had."""

    items: list[dict[str, Any]]
    walked: int
    """All questions before this second have been seen."""


def walk(client: StackExchange, wanted: Range) -> Iterator[Step]:
    """Yield all questions of a range, oldest first, each once."""
    start, page = wanted.since, 1
    seen: dict[int, int] = {}
    while True:
        found = client.questions(start, wanted.until, page)
        seconds = {item["question_id"]: item["creation_date"] for item in found.items}
        new = [
            item
            for item in found.items
            if wanted.since <= item["creation_date"] < wanted.until
            and item["question_id"] not in seen
        ]
        newest = max(seconds.values(), default=wanted.until)
        if not found.has_more or newest >= wanted.until:
            yield Step(new, wanted.until)
            return
        yield Step(new, newest)
        seen = {
            question_id: second
            for question_id, second in (seen | seconds).items()
            if second >= newest - OVERLAP
        }
        if newest - OVERLAP > start:
            start, page = newest - OVERLAP, 1
        else:  # more than one page of questions within the overlap
            page += 1


def missing(wanted: Range, done: Iterable[Range]) -> list[Range]:
    """Return the parts of a range that no other range covers, earliest first."""
    parts, since = [], wanted.since
    for each in sorted(done):
        if since < each.since and since < wanted.until:
            parts.append(Range(since, min(each.since, wanted.until)))
        since = max(since, each.until)
    if since < wanted.until:
        parts.append(Range(since, wanted.until))
    return parts


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that touch or overlap, earliest first."""
    result: list[Range] = []
    for each in sorted(ranges):
        if result and each.since <= result[-1].until:
            result[-1] = Range(result[-1].since, max(result[-1].until, each.until))
        elif each.since < each.until:
            result.append(each)
    return result
