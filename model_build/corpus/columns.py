"""Match the columns of a file with the fields of a question."""

from collections.abc import Collection, Sequence
from pathlib import Path

from model_build.corpus.errors import CorpusError

# Compared without case, blanks and underscores. Where a file has two names of one field, the
# earlier one here wins.
_FIELDS = {
    "questionid": "id",
    "postid": "id",
    "id": "id",
    "site": "site",
    "source": "source",
    "title": "title",
    "body": "body",
    "bodyhtml": "body_html",
    "bodymarkdown": "body_markdown",
    "bodyformat": "body_format",
    "tags": "tags",
    "creationdate": "creation_date",
    "creationdateest": "creation_date_est",
    "creationyearest": "creation_year_est",
    "viewcount": "view_count",
    "score": "score",
    "answercount": "answer_count",
    "ownername": "owner_name",
    "ownerdisplayname": "owner_name",
    "ownerid": "owner_id",
    "owneruserid": "owner_id",
    "contentlicense": "content_license",
    "lasteditdate": "last_edit_date",
}
OF_QUESTIONS = ("title", "tags")
"""The fields that a file of questions must have."""
OF_TAG_SETS = ("id", "tags")
"""The fields that a file of tag sets must have."""
OF_ARCHIVES = ("title",)
"""The fields that a file of questions to be scored must have."""
_NAMES_SHOWN = 20
_HELP: dict[tuple[str, ...], str] = {
    OF_QUESTIONS: "A corpus needs title and tags, and may have body (or body_html, body_markdown), "
    "body_format, id, site, source, creation_date, view_count, score and answer_count.",
    OF_TAG_SETS: "A file of tag sets needs id and tags.",
    OF_ARCHIVES: "Questions to be scored need a title, and may have body (or body_html, "
    "body_markdown), body_format, id and site.",
}


def match_columns(columns: Sequence[str]) -> dict[int, str]:
    """Find the columns that hold fields of a question.

    Returns
    -------
    dict of int to str
        The field by the position of its column.

    Raises
    ------
    ValueError
        Two columns have the same name.
    """
    plain_names = [_plain(column) for column in columns]
    positions: dict[str, int] = {}
    for position, plain in enumerate(plain_names):
        if plain in _FIELDS:
            if plain in positions:
                first = columns[positions[plain]]
                raise ValueError(
                    f"two columns have the same name ({first!r} and {columns[position]!r}): "
                    "rename or remove one"
                )
            positions[plain] = position
    fields: dict[str, int] = {}
    for plain, field in _FIELDS.items():
        if plain in positions:
            fields.setdefault(field, positions[plain])
    return {position: field for field, position in fields.items()}


def find_columns(path: Path, columns: Sequence[str], required: Sequence[str]) -> dict[int, str]:
    """Find the columns of a file as `match_columns` does, and check that none is missing.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        The names of all columns of the file.
    required : sequence of str
        The fields that must be there: `OF_QUESTIONS` or `OF_TAG_SETS`.

    Raises
    ------
    CorpusError
        A required column is missing, or two columns have the same name.
    """
    try:
        fields = match_columns(columns)
    except ValueError as error:
        raise CorpusError(f"{path}: {error}.") from error
    require_columns(path, fields.values(), columns, required)
    return fields


def require_columns(
    path: Path, fields: Collection[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    """Refuse a file that lacks a required field; see `find_columns`.

    Raises
    ------
    CorpusError
        The message lists the columns that the file has.
    """
    missing = [field for field in required if field not in fields]
    if missing:
        shown = ", ".join(map(_shown, columns[:_NAMES_SHOWN]))
        more = len(columns) - _NAMES_SHOWN
        raise CorpusError(
            f"{path}: there is no column {' and no column '.join(map(repr, missing))}. "
            f"The file has: {shown or 'no column'}{f' and {more} more' if more > 0 else ''}. "
            f"{_HELP[tuple(required)]}"
        )


def _shown(column: str) -> str:
    start = column[:40]
    return start if start.isprintable() else ascii(start)


def _plain(column: str) -> str:
    return column.strip().lower().replace("_", "").replace(" ", "")
