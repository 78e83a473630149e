"""Read questions from files, by the endings of their names."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from model_build.corpus.columns import OF_ARCHIVES, OF_QUESTIONS, OF_TAG_SETS
from model_build.corpus.delimited_files import read_csv, read_tsv
from model_build.corpus.errors import CorpusError
from model_build.corpus.json_files import read_json
from model_build.corpus.parquet_files import read_parquet
from model_build.corpus.records import Reader, Record
from model_build.corpus.rejects import Rejects
from model_build.corpus.titles import decode_title
from model_build.questions import BadQuestionError, Question
from model_build.tag_sets import TagSet

READERS: dict[str, Reader] = {
    ".parquet": read_parquet,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
}
"""By the ending of a file's name. Text files may also end in ``.gz``."""
_OF_ASKED = ("id", "site", "title", "body", "body_html", "body_markdown", "body_format")
"""The fields of a question that is to be scored: a bad value in another one does not matter."""
SUFFIXES = ", ".join([*READERS, *(f"{suffix}.gz" for suffix in READERS if suffix != ".parquet")])


def read_corpus(
    paths: Iterable[str | os.PathLike[str]],
    rejects: Rejects,
    *,
    partial_paths: Iterable[str | os.PathLike[str]] = (),
) -> list[Question]:
    """Read all questions of some files.

    Parameters
    ----------
    paths : iterable of path-like
        Files whose questions have all their tags.
    rejects : Rejects
        Takes the bad rows.
    partial_paths : iterable of path-like
        Files that were cut down to their commonest tags: any other tag of such a question is
        unknown, not absent.

    Returns
    -------
    list of Question
        At least one, if any file is named.

    Raises
    ------
    CorpusError
        A file is missing, of an unknown kind, damaged, lacks a column, or has rows of which none
        is a usable question; or there is no question at all.
    """
    whole, partial = list(map(Path, paths)), list(map(Path, partial_paths))
    questions = [each for path in whole for each in _read_file(path, rejects)]
    for path in partial:
        found = _read_file(path, rejects)
        judged = frozenset(tag for each in found for tag in each.tags)
        questions += [replace(each, judged_tags=judged) for each in found]
    if not questions and (whole or partial):
        names = ", ".join(map(str, [*whole, *partial]))
        raise CorpusError(f"{names}: there is no question. Name a file that has some.")
    return questions


def _read_file(path: Path, rejects: Rejects) -> list[Question]:
    reasons_before = rejects.reasons.copy()
    questions = list(read_questions(path, rejects))
    reasons = rejects.reasons - reasons_before
    if reasons and not questions:
        raise CorpusError(
            f"{path}: none of its {reasons.total()} rows is a usable question "
            f"({reasons.most_common(1)[0][0]}). {rejects.path} gives the reason for each row."
        )
    return questions


def read_questions(path: Path, rejects: Rejects) -> Iterator[Question]:
    """Read one file's questions, in its order, with a progress bar; see `read_corpus`.

    Raises
    ------
    CorpusError
        The file is missing, of an unknown kind, damaged, or lacks a column.
    """
    for _, question in read_rows(path, rejects):
        yield question


def read_rows(path: Path, rejects: Rejects) -> Iterator[tuple[Record, Question]]:
    """Read one file's questions as `read_questions` does, each with the row that it comes from.

    The row also has fields that training does not need, such as the author's name.
    """
    return _read_rows(path, rejects, OF_QUESTIONS)


def read_archive(path: Path, rejects: Rejects) -> Iterator[tuple[Record, Question]]:
    """Read the questions of a file that need no tags, each with its row, as `read_questions` does.

    Raises
    ------
    CorpusError
        As `read_questions`.
    """
    yield from _read_rows(path, rejects, OF_ARCHIVES)


def _read_rows(
    path: Path, rejects: Rejects, required: Sequence[str]
) -> Iterator[tuple[Record, Question]]:
    for record in _read_records(path, rejects, required):
        values = record.values
        title = values.get("title")
        if isinstance(title, str) and not record.has_plain_title:
            values = values | {"title": decode_title(title)}
        if required is OF_ARCHIVES:
            values = {name: values[name] for name in _OF_ASKED if name in values}
        try:
            question = Question.from_row(values, has_tags=required is not OF_ARCHIVES)
        except BadQuestionError as error:
            rejects.add(record.path, record.row, str(error), record.values, line=record.line)
        else:
            yield record, question


def read_tag_sets(paths: Iterable[str | os.PathLike[str]], rejects: Rejects) -> list[TagSet]:
    """Read files that have the ids and the tags of questions, but not their text.

    Raises
    ------
    CorpusError
        A file is missing, of an unknown kind, damaged, lacks a column, or has no usable row.
    """
    found: list[TagSet] = []
    for path in map(Path, paths):
        n_before = len(found)
        for record in _read_records(path, rejects, OF_TAG_SETS):
            try:
                found.append(TagSet.from_row(record.values))
            except BadQuestionError as error:
                rejects.add(record.path, record.row, str(error), record.values, line=record.line)
        if len(found) == n_before:
            raise CorpusError(f"{path}: there is no usable tag set. Name a file that has some.")
    return found


def _read_records(path: Path, rejects: Rejects, required: Sequence[str]) -> Iterator[Record]:
    reader = _reader_of(path)
    with tqdm(
        total=_size(path), desc=path.name, unit="B", unit_scale=True, leave=False, disable=None
    ) as bar:
        yield from reader(path, rejects, lambda position: bar.update(position - bar.n), required)


def _reader_of(path: Path) -> Reader:
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    reader = READERS.get(name.suffix.lower())
    if reader is None and path.is_dir():
        reader = read_parquet
    if reader is None or (name is not path and name.suffix.lower() == ".parquet"):
        raise CorpusError(f"{path}: unknown kind of file. Name a file that ends in {SUFFIXES}.")
    if path.is_dir() and reader is not read_parquet:
        raise CorpusError(f"{path}: this is a folder. Name the files in it.")
    return reader


def _size(path: Path) -> int:
    try:
        files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        return sum(each.stat().st_size for each in files)
    except OSError as error:
        raise CorpusError(f"{path}: cannot read this file: {error.strerror}.") from error
