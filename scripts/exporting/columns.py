"""The columns of the exported table."""

from typing import Final, NamedTuple


class Column(NamedTuple):
    """A column of the exported table."""

    name: str
    kind: str
    """``fraction``, ``integer``, ``category``, ``text`` or ``time``."""
    role: str
    """``input``: of the question. ``output``: of the answer. ``target``: from feedback.
    ``metadata``: neither."""


COLUMNS: Final = (
    Column("prediction_id", "text", "metadata"),
    Column("timestamp", "time", "metadata"),
    Column("model_version", "category", "metadata"),
    Column("source", "category", "metadata"),
    Column("known_share", "fraction", "input"),
    Column("words", "integer", "input"),
    Column("code_share", "fraction", "input"),
    Column("first_tag", "category", "output"),
    Column("tags", "text", "output"),
    Column("n_tags", "integer", "output"),
    Column("top_confidence", "fraction", "output"),
    Column("expected_jaccard", "fraction", "output"),
    Column("quiet_reason", "category", "output"),
    Column("final_tags", "text", "target"),
    Column("jaccard", "fraction", "target"),
)
