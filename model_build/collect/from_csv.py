"""Collect the questions of files, such as the CSV exports of the Stack Exchange Data Explorer."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from model_build.collect.months import MonthFiles
from model_build.collect.records import CollectedQuestion
from model_build.corpus import Rejects, read_rows
from model_build.values import BadQuestionError

MAX_EXPORT: Final = 50_000
"""The largest number of rows that Data Explorer exports."""

_COLUMNS: Final = (
    "Id, Title, Body, Tags, CreationDate, Score, ViewCount, AnswerCount,\n"
    "  OwnerUserId, OwnerDisplayName, ContentLicense, LastEditDate"
)
_ALL: Final = """\
SELECT TOP {rows} {columns}
FROM Posts
WHERE PostTypeId = 1 AND Id > {last_id}
ORDER BY Id
"""
_MOST_VIEWED: Final = """\
SELECT TOP {rows} {columns}
FROM Posts
WHERE PostTypeId = 1 AND AnswerCount >= 1
  AND (SELECT COUNT(*) FROM PostTags WHERE PostTags.PostId = Posts.Id) >= 5
ORDER BY ViewCount DESC
"""


def next_page_query(last_id: int) -> str:
    """Return the SQL for the questions with the next higher ids."""
    return _ALL.format(rows=MAX_EXPORT, columns=_COLUMNS, last_id=last_id)


def most_viewed_query() -> str:
    """Return the SQL for the most viewed questions with an answer and five tags.

    Five tags are the most that a site allows, so most questions can never be in this sample.
    """
    return _MOST_VIEWED.format(rows=MAX_EXPORT, columns=_COLUMNS)


def collect(
    paths: Iterable[Path], months: MonthFiles, rejects: Rejects, site: str | None
) -> int | None:
    """Collect all questions of some files.

    Returns
    -------
    int or None
        The highest id of a question; None if the files have no ids.

    Raises
    ------
    CorpusError
        A file cannot be read; see `model_build.corpus.read_questions`.
    CollectError
        The questions cannot be written.
    """
    last_id: int | None = None
    for path in paths:
        for record, found in read_rows(path, rejects):
            question = replace(found, site=site) if site else found
            try:
                months.add(CollectedQuestion.of(question, record.values))
            except BadQuestionError as error:
                rejects.add(path, record.row, str(error), record.values, line=record.line)
                continue
            if question.id is not None:
                last_id = max(last_id or 0, question.id)
    months.commit()
    return last_id
