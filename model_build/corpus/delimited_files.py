"""Read CSV and TSV files, also those that break the rules for quotation marks."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from model_build.corpus.columns import OF_QUESTIONS, find_columns
from model_build.corpus.errors import CorpusError
from model_build.corpus.records import Advance, Record
from model_build.corpus.rejects import Rejects
from model_build.corpus.text_files import open_text
from model_build.values import BadQuestionError, parse_whole_number

_CSV_DELIMITERS = (",", ";", "\t", "|")
_TSV_DELIMITERS = ("\t",)
_MAX_ROW_CHARACTERS = 2**22
"""A quotation mark that nothing closes takes in no more than this."""

# A quotation mark inside a field is written "" or \". In a file of the first kind, \" is the end of
# a field or the beginning of \"": what follows tells the two kinds apart.
_AFTER_FIELD = r"[\r\n,;\t|]|$"
_BACKSLASH_QUOTE = re.compile(rf'\\"(?!"|{_AFTER_FIELD})')
_BACKSLASH_THEN_DOUBLED = re.compile(rf'\\""(?!{_AFTER_FIELD})')
_OPENING = tuple("<|[{(&\"'")
_BACKSLASHED = re.compile(r'\\([\\"])')


class _Dialect(NamedTuple):
    delimiter: str
    has_blanks: bool
    """Whether a blank follows the delimiters."""


class _Row(NamedTuple):
    """One row as it was read: its values, or the reason why there are none."""

    line: int
    text: list[str]
    values: list[str]
    reason: str | None = None


def read_csv(
    path: Path, rejects: Rejects, advance: Advance, required: Sequence[str] = OF_QUESTIONS
) -> Iterator[Record]:
    """Yield the rows of a file whose values are parted by commas, semicolons, tabs or bars.

    Raises
    ------
    CorpusError
        The header lacks a column.
    """
    return _read(path, rejects, advance, required, _CSV_DELIMITERS)


def read_tsv(
    path: Path, rejects: Rejects, advance: Advance, required: Sequence[str] = OF_QUESTIONS
) -> Iterator[Record]:
    """Yield the rows of a file whose values are parted by tabs.

    Raises
    ------
    CorpusError
        The header lacks a column.
    """
    return _read(path, rejects, advance, required, _TSV_DELIMITERS)


def _read(
    path: Path,
    rejects: Rejects,
    advance: Advance,
    required: Sequence[str],
    delimiters: Sequence[str],
) -> Iterator[Record]:
    csv.field_size_limit(_MAX_ROW_CHARACTERS)
    has_backslashes = _escapes_with_backslashes(path)
    with open_text(path) as file:
        lines = _Lines(file.lines)
        header, fields, dialect = _header(path, lines, required, delimiters)
        check = _AfterBrokenRow(fields)
        for number, row in enumerate(_rows(lines, dialect, len(header), has_backslashes), 1):
            advance(file.position())
            values: dict[str, object] = {}
            reason = row.reason
            if reason is None:
                values = {field: row.values[place] for place, field in fields.items()}
                reason = check.reason(values)
            elif not row.values:
                check.is_needed = True
            if reason is None:
                yield Record(path, number, values, row.line)
            else:
                rejects.add(path, number, reason, "".join(row.text), line=row.line)


class _Lines:
    """The lines of a file, numbered from 1; some can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._given_back: deque[str] = deque()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.number += 1
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)


class _AfterBrokenRow:
    """Tells rows from the rest of a broken one, such as the lines of its body.

    A row has a whole number as its id, if the file has ids. It writes its tags as a row before
    did, or in some brackets.
    """

    def __init__(self, fields: dict[int, str]) -> None:
        self._has_id = "id" in fields.values()
        self._has_plain_tags: bool | None = None
        self.is_needed = False

    def reason(self, values: dict[str, object]) -> str | None:
        """Return why these values are not a row, or None."""
        tags = str(values.get("tags", "")).strip()
        is_plain = bool(tags) and tags[0] not in _OPENING
        if self.is_needed and not self._is_row(values, is_plain):
            return "it follows a broken row and is not like the other rows"
        self.is_needed = False
        if tags:
            self._has_plain_tags = is_plain or bool(self._has_plain_tags)
        return None

    def _is_row(self, values: dict[str, object], is_plain: bool) -> bool:
        if is_plain and self._has_plain_tags is False:
            return False
        try:
            return not self._has_id or parse_whole_number(values["id"], "id") is not None
        except BadQuestionError:
            return False


def _escapes_with_backslashes(path: Path) -> bool:
    r"""Whether a file writes a quotation mark in a field as ``\"`` and not as ``""``."""
    balance = 0
    with open_text(path) as file:
        for line in file.lines:
            if "\\" in line:
                balance += len(_BACKSLASH_QUOTE.findall(line))
                balance -= len(_BACKSLASH_THEN_DOUBLED.findall(line))
    return balance > 0


def _header(
    path: Path, lines: _Lines, required: Sequence[str], delimiters: Sequence[str]
) -> tuple[list[str], dict[int, str], _Dialect]:
    """Read the header with the first delimiter that gives it the columns of a corpus."""
    line = next((line for line in lines if line.strip()), "")
    errors = []
    for delimiter in delimiters:
        try:
            dialect = _Dialect(delimiter, has_blanks=f"{delimiter} " in line)
            header = next(_reader([line], dialect), [])
            return header, find_columns(path, header, required), dialect
        except csv.Error as error:
            errors.append(CorpusError(f"{path}: cannot read the header: {error}."))
        except CorpusError as error:
            errors.append(error)
    raise errors[0]


def _rows(
    lines: _Lines, dialect: _Dialect, n_columns: int, has_backslashes: bool
) -> Iterator[_Row]:
    while (row := _row(lines, dialect, has_backslashes)) is not None:
        if row.reason is not None:
            # The quotation mark may be a mistake of the first line: the others are read again.
            lines.give_back(row.text[1:])
            row = row._replace(text=row.text[:1])
            literal = row.text[0].rstrip("\r\n").split("\t")
            if dialect.delimiter == "\t" and len(literal) == n_columns:  # TSV that never quotes
                row = row._replace(values=literal, reason=None)
        elif not row.values:  # an empty line
            continue
        elif len(row.values) != n_columns:
            reason = f"wrong number of columns: {len(row.values)} instead of {n_columns}"
            row = row._replace(reason=reason)
        yield row


def _row(lines: _Lines, dialect: _Dialect, has_backslashes: bool) -> _Row | None:
    """Read the next row, with all its lines; None at the end of the file."""
    taken: list[str] = []
    first = lines.number + 1

    def take() -> Iterator[str]:
        size = 0
        for line in lines:
            taken.append(line)
            size += len(line)
            if size > _MAX_ROW_CHARACTERS and len(taken) > 1:
                raise csv.Error(f"a row is longer than {_MAX_ROW_CHARACTERS:,} characters")
            yield _BACKSLASHED.sub(_doubled, line) if has_backslashes and "\\" in line else line

    try:
        values = next(_reader(take(), dialect), None)
    except csv.Error as error:
        reason = f"not CSV: {error}. Check the quotation marks"
        return _Row(first, taken, [], reason)
    return None if values is None else _Row(first, taken, values)


def _reader(lines: Iterable[str], dialect: _Dialect) -> Iterator[list[str]]:
    delimiter, has_blanks = dialect
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=has_blanks, strict=True)


def _doubled(match: re.Match[str]) -> str:
    return '""' if match[1] == '"' else "\\"
