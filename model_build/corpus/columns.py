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
}
REQUIRED = ("title", "tags")
_NAMES_SHOWN = 20


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


def find_columns(path: Path, columns: Sequence[str]) -> dict[int, str]:
    """Find the columns of a file as `match_columns` does, and check that none is missing.

    Raises
    ------
    CorpusError
        A required column is missing, or two columns have the same name.
    """
    try:
        fields = match_columns(columns)
    except ValueError as error:
        raise CorpusError(f"{path}: {error}.") from error
    require_columns(path, fields.values(), columns)
    return fields


def require_columns(path: Path, fields: Collection[str], columns: Sequence[str]) -> None:
    """Refuse a file without a title or tags.

    Raises
    ------
    CorpusError
        The message lists the columns that the file has.
    """
    missing = [field for field in REQUIRED if field not in fields]
    if missing:
        shown = ", ".join(map(_shown, columns[:_NAMES_SHOWN]))
        more = len(columns) - _NAMES_SHOWN
        raise CorpusError(
            f"{path}: there is no column {' and no column '.join(map(repr, missing))}. "
            f"The file has: {shown or 'no column'}{f' and {more} more' if more > 0 else ''}. "
            "A corpus needs title and tags, and may have body (or body_html, body_markdown), "
            "body_format, id, site, source, creation_date, view_count, score and answer_count."
        )


def _shown(column: str) -> str:
    start = column[:40]
    return start if start.isprintable() else ascii(start)


def _plain(column: str) -> str:
    return column.strip().lower().replace("_", "").replace(" ", "")
