"""Read JSON Lines, JSON documents, and what the Stack Exchange API answers."""

import html
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

from model_build.corpus.columns import OF_QUESTIONS, match_columns, require_columns
from model_build.corpus.errors import CorpusError
from model_build.corpus.records import Advance, Record
from model_build.corpus.rejects import Rejects
from model_build.corpus.text_files import open_text

_API_FIELDS = frozenset(("is_answered", "last_activity_date", "content_license", "owner", "link"))
"""With ``question_id``, one of these shows a question of the API."""
_MAX_COLUMNS = 1_000


class _NotJson(NamedTuple):
    """What stands for an object or a line that cannot be read."""

    text: str
    reason: str


def read_json(
    path: Path, rejects: Rejects, advance: Advance, required: Sequence[str] = OF_QUESTIONS
) -> Iterator[Record]:
    """Yield the objects of a file.

    The file holds an object per line, or a list of objects, or answers of the Stack Exchange API,
    whose questions are in ``items``. Lines are read one by one, a document as a whole.

    Raises
    ------
    CorpusError
        The file is not JSON, or no object in it has a field that is required.
    """
    row, columns, found_fields = 0, dict[str, None](), set[str]()
    with open_text(path) as file:
        for line, value in _values(path, file.lines):
            advance(file.position())
            for found, is_api in _candidates(value):
                row += 1
                if isinstance(found, _NotJson):
                    rejects.add(path, row, f"not JSON: {found.reason}", found.text, line=line)
                elif not isinstance(found, dict):
                    rejects.add(path, row, "not a JSON object", found, line=line)
                else:
                    if len(columns) < _MAX_COLUMNS:
                        columns |= dict.fromkeys(found)
                    try:
                        fields = match_columns(list(found))
                    except ValueError as error:
                        rejects.add(path, row, str(error), found, line=line)
                        continue
                    found_fields.update(fields.values())
                    given = list(found.values())
                    values = {field: given[position] for position, field in fields.items()}
                    if is_api:
                        values = _decoded(values)
                    yield Record(path, row, values, line, has_plain_title=is_api)
    if not row:
        raise CorpusError(f"{path}: there is no question in it.")
    if columns:
        require_columns(path, found_fields, list(columns), required)


def _values(path: Path, lines: IO[str]) -> Iterator[tuple[int | None, object]]:
    """Yield the JSON values of a file with their lines; a bad line is a `_NotJson`."""
    numbered: Iterator[tuple[int, str]] = _numbered(lines, 1)
    first = next(numbered, None)
    if first is None:
        return
    head = first[1].strip()
    if head.startswith("[") or (head.startswith("{") and not head.endswith("}")):
        text = first[1] + lines.read()
        try:
            yield None, _loads(text)
            return
        except ValueError as error:
            if path.suffix == ".json":
                raise CorpusError(
                    f"{path}: this is not JSON: {error}. Download or export it again."
                ) from error
        # A file of lines may begin with a bad one.
        numbered = _numbered(io.StringIO(text, newline=""), first[0])
    else:
        numbered = chain([first], numbered)
    for number, line in numbered:
        try:
            value: object = _loads(line)
        except ValueError as error:
            value = _NotJson(line, str(error))
        yield number, value


def _numbered(lines: Iterable[str], start: int) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, start) if line.strip())


def _loads(text: str) -> object:
    try:
        value: object = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _NotJson:
    found = dict(pairs)
    if len(found) < len(pairs):
        return _NotJson(str(pairs), "an object has the same key twice")
    return found


def _candidates(value: object) -> Iterable[tuple[object, bool]]:
    """Yield what may be questions, each with whether it comes from the API."""
    if isinstance(value, list):
        for each in value:
            yield from _candidates(each)
    elif isinstance(value, dict) and isinstance(value.get("items"), list) and "title" not in value:
        yield from ((item, True) for item in value["items"])
    else:
        is_question = isinstance(value, dict) and "question_id" in value
        yield value, is_question and not _API_FIELDS.isdisjoint(value)  # type: ignore[arg-type]


def _decoded(item: dict[str, object]) -> dict[str, object]:
    """Undo the API's HTML escaping: it escapes titles and Markdown; an HTML body is as it is."""
    texts = {
        field: html.unescape(text)
        for field in ("title", "body_markdown")
        if isinstance(text := item.get(field), str)
    }
    return item | texts | ({"body_format": "html"} if item.get("body") else {})
