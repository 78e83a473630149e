"""What the readers of all formats yield."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from model_build.corpus.rejects import Rejects


class Record(NamedTuple):
    """One row of a file."""

    path: Path
    row: int
    """From 1, without the header."""
    values: dict[str, object]
    """By the fields of a question; see `model_build.questions.Question.from_row`."""
    line: int | None = None
    """The first line of the row, from 1, in a text file."""
    has_plain_title: bool = False
    """Whether the source is known to give the title as it is, or was decoded by the reader."""


Advance = Callable[[int], object]
"""Takes the number of bytes that were read so far."""


class Reader(Protocol):
    """Reads the files of one format."""

    def __call__(
        self, path: Path, rejects: Rejects, advance: Advance, required: Sequence[str] = ..., /
    ) -> Iterator[Record]:
        """Yield the rows of a file; see `model_build.corpus.columns.find_columns`."""
