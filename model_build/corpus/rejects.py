"""Keep the rows that are not usable questions."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from model_build.corpus.errors import CorpusError


class Rejects:
    """The rows that are not usable questions: counted, and written to a file as they come.

    Parameters
    ----------
    path : path-like
        A JSON Lines file, created with the first bad row. Its keys are file, row (counted from 1,
        without the header), line (in text files), reason and data.

    keep_older : bool
        Add to a file of an earlier run, which read other rows, instead of replacing it.

    Raises
    ------
    CorpusError
        An older file of that name cannot be removed.
    """

    def __init__(self, path: str | os.PathLike[str], *, keep_older: bool = False) -> None:
        self.path = Path(path)
        self.reasons: Counter[str] = Counter()
        if keep_older:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.reasons:
            print(f"{self.total} bad rows were left out; see {self.path}:", file=sys.stderr)
            for reason, count in self.reasons.most_common(5):
                print(f"  {count} x {reason}", file=sys.stderr)

    @property
    def total(self) -> int:
        """How many rows were rejected."""
        return self.reasons.total()

    def add(
        self, file: Path, row: int, reason: str, data: object, *, line: int | None = None
    ) -> None:
        """Keep one bad row.

        Raises
        ------
        CorpusError
            The rejects file cannot be written.
        """
        self.reasons[reason.split(":", maxsplit=1)[0]] += 1
        place = {"file": str(file), "row": row} | ({} if line is None else {"line": line})
        entry = json.dumps(place | {"reason": reason, "data": data}, default=str)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as opened:
                opened.write(entry + "\n")
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> CorpusError:
        return CorpusError(
            f"{self.path}: cannot write the bad rows to this file: {error.strerror}. "
            "Name another file with --rejects."
        )
