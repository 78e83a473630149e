"""Read questions from Parquet, CSV and JSON Lines files; write them as Parquet."""

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from model_build.questions import BadQuestionError, Question

Row = dict[str, object]
Advance = Callable[[float], object]

# Columns by the names that exports give them, compared without case and underscores.
_COLUMNS = {
    "id": "id",
    "postid": "id",
    "site": "site",
    "title": "title",
    "bodyhtml": "body_html",
    "body": "body_html",
    "tags": "tags",
    "creationdate": "creation_date",
    "viewcount": "view_count",
    "score": "score",
    "answercount": "answer_count",
}
_REQUIRED = ("title", "tags")
_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("site", pa.string()),
        ("title", pa.string()),
        ("body_html", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("creation_date", pa.timestamp("us")),
        ("view_count", pa.int64()),
        ("score", pa.int64()),
        ("answer_count", pa.int64()),
    ]
)


class CorpusError(Exception):
    """A file that is no corpus: the message names it and says what to do."""


class Rejects:
    """The rows that were no questions: counted, and written to a file as they come.

    Parameters
    ----------
    path : path-like
        A JSON Lines file, made with the first bad row: file, row, reason, data.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.reasons: Counter[str] = Counter()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.reasons:
            print(
                f"{self.total} bad rows were left out; they stand in {self.path}:", file=sys.stderr
            )
            for reason, count in self.reasons.most_common(5):
                print(f"  {count} x {reason}", file=sys.stderr)

    @property
    def total(self) -> int:
        """How many rows were rejected."""
        return self.reasons.total()

    def add(self, file: Path, row: int, reason: str, data: object) -> None:
        """Keep one bad row."""
        self.reasons[reason.split(":", maxsplit=1)[0]] += 1
        line = json.dumps(
            {"file": file.name, "row": row, "reason": reason, "data": data}, default=str
        )
        with self.path.open("a", encoding="utf-8") as opened:
            opened.write(line + "\n")


def read_corpus(
    paths: Iterable[str | os.PathLike[str]],
    rejects: Rejects,
    *,
    partial_paths: Iterable[str | os.PathLike[str]] = (),
) -> list[Question]:
    """Read questions from files, by their endings ``.parquet``, ``.csv``, ``.jsonl``.

    Parameters
    ----------
    paths : iterable of path-like
        Files whose questions have all their tags.
    rejects : Rejects
        Takes the bad rows.
    partial_paths : iterable of path-like
        Files that were cut down to their commonest tags: any other tag of such a question is
        unknown, not absent.

    Raises
    ------
    CorpusError
        A file is missing, of an unknown kind, damaged, or lacks a column.
    """
    questions = [each for path in paths for each in read_questions(Path(path), rejects)]
    for path in partial_paths:
        found = list(read_questions(Path(path), rejects))
        judged = frozenset(tag for each in found for tag in each.tags)
        questions += [replace(each, judged_tags=judged) for each in found]
    return questions


def read_questions(path: Path, rejects: Rejects) -> Iterator[Question]:
    """Read one file's questions, in its order, with a progress bar; see `read_corpus`."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CorpusError(
            f"{path}: cannot tell what this is. Name a file that ends in {', '.join(_READERS)}."
        )
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CorpusError(f"{path}: cannot read this file: {error.strerror}.") from error
    with tqdm(
        total=size, desc=path.name, unit="B", unit_scale=True, leave=False, disable=None
    ) as bar:
        for number, row in enumerate(reader(path, rejects, bar.update), 1):
            if row is None:
                continue
            try:
                yield Question.from_row(row)
            except BadQuestionError as error:
                rejects.add(path, number, str(error), row)


def write_questions(questions: Iterable[Question], path: Path) -> None:
    """Write questions to a Parquet file that `read_questions` reads."""
    rows = []
    for question in questions:
        row = asdict(question)
        del row["judged_tags"]
        rows.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def _names(path: Path, columns: Iterable[str]) -> dict[str, str]:
    """Map a file's columns to the fields of a question; refuse a file that lacks one."""
    found = list(columns)
    names: dict[str, str] = {}
    for column in found:
        name = _field(column)
        if name in _COLUMNS.values() and name not in names.values():
            names[column] = name
    for required in _REQUIRED:
        if required not in names.values():
            raise CorpusError(
                f"{path}: there is no column {required!r}. It has: {', '.join(found) or 'none'}. "
                "A corpus needs title and tags, and may have body_html, id, site, creation_date, "
                "view_count, score and answer_count."
            )
    return names


def _field(column: str) -> str:
    plain = column.strip().lower().replace("_", "")
    return _COLUMNS.get(plain, plain)


def _read_parquet(path: Path, rejects: Rejects, advance: Advance) -> Iterator[Row | None]:
    del rejects  # Parquet is typed: a row is well formed or the file is damaged
    try:
        with pq.ParquetFile(path) as file:
            names = _names(path, file.schema_arrow.names)
            size, total = path.stat().st_size, max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(batch_size=2_000, columns=list(names)):
                for row in batch.to_pylist():
                    yield {names[column]: value for column, value in row.items()}
                advance(size * batch.num_rows / total)
    except pa.ArrowInvalid as error:
        raise CorpusError(f"{path}: this is no readable Parquet file: {error}") from error


def _read_csv(path: Path, rejects: Rejects, advance: Advance) -> Iterator[Row | None]:
    csv.field_size_limit(2**27)
    with path.open("rb") as binary:

        def lines() -> Iterator[str]:
            for line in binary:
                advance(len(line))
                # Bytes that are no UTF-8 reach the row's own check, which rejects that row only.
                yield line.decode("utf-8", "surrogateescape")

        rows = csv.reader(lines())
        header = [name.removeprefix("\ufeff") for name in next(rows, [])]
        names = _names(path, header)
        number = 0
        while True:
            number += 1
            try:
                values = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                rejects.add(path, number, f"not CSV: {error}", None)
                yield None
                continue
            if len(values) == len(header):
                yield {
                    names[column]: value
                    for column, value in zip(header, values, strict=True)
                    if column in names
                }
            else:
                if values:
                    reason = f"wrong number of columns: {len(values)}, not {len(header)}"
                    rejects.add(path, number, reason, values)
                yield None


def _read_jsonl(path: Path, rejects: Rejects, advance: Advance) -> Iterator[Row | None]:
    checked = False
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            advance(len(line))
            try:
                row = json.loads(line)
            except ValueError as error:
                if line.strip():
                    rejects.add(path, number, f"not JSON: {error}", line.decode(errors="replace"))
                yield None
                continue
            if not isinstance(row, dict):
                rejects.add(path, number, "not a JSON object", row)
                yield None
                continue
            if not checked:  # later objects are judged row by row
                _names(path, row)
                checked = True
            yield {_field(key): value for key, value in row.items()}
    if not checked:
        raise CorpusError(f"{path}: there is no question in it.")


_READERS: dict[str, Callable[[Path, Rejects, Advance], Iterator[Row | None]]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
}
