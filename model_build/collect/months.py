"""A folder of questions, one Parquet file per month, which survives a kill at any moment.

New questions go to hidden files first. Each month's file is then replaced by one that holds the old
and the new questions, in one step. So a file is always whole, and every question is in it once.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from model_build.collect.errors import CollectError
from model_build.collect.records import SCHEMA, CollectedQuestion

UNDATED: Final = "undated"
"""The name of the file for questions without a date."""
_SITE: Final = b"etiquette.site"
"""In a file's metadata: the site that its questions are from."""
_UNFINISHED: Final = ".unfinished"
_BUFFERED_CHARACTERS: Final = 4_000_000
_BUFFERED_QUESTIONS: Final = 2_500
_MAX_OPEN_GROUPS: Final = 400
"""An open file keeps facts about its row groups in memory. With more of them, files are closed, and
what follows goes to further ones."""
_BATCH_ROWS: Final = 2_000
_REPEATED_COLUMNS: Final = ["site", "source", "body_format", "content_license"]
"""Columns with few different values, which a dictionary makes smaller."""


class MonthFiles:
    """The files of one folder, for one process at a time.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    site : str, optional
        The site of the questions. A folder holds the questions of one site, because the numbers of
        questions of two sites clash.

    Raises
    ------
    CollectError
        The folder cannot be used: another process collects into it, it holds the questions of
        another site or other files that end in ``.parquet``, or it cannot be written. The methods
        raise it if a file cannot be read or written.
    """

    def __init__(self, folder: Path, site: str | None) -> None:
        self.folder = folder
        self._site = site or ""
        self._buffers: dict[str, list[CollectedQuestion]] = {}
        self._n_buffered = self._n_characters = 0
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._n_groups = 0
        self._parts: dict[str, list[Path]] = {}
        self._interruption: Exception | str | None = None
        self._lock = self._locked()
        try:
            for leftover in folder.glob(f".*{_UNFINISHED}"):
                leftover.unlink()
            for name in self.names():
                self._check(self.path(name))
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with suppress(OSError, pa.ArrowException):
                # What is not committed is not needed any more.
                self._close()
        finally:
            os.close(self._lock)

    def path(self, name: str) -> Path:
        """Return the file of a month, such as ``2026-11``."""
        return self.folder / f"{name}.parquet"

    def names(self) -> list[str]:
        """Return the names of all files, earliest month first."""
        return sorted(path.stem for path in self.folder.glob("*.parquet") if path.name[0] != ".")

    def n_rows(self, name: str) -> int:
        """Return how many questions the file of a month holds; 0 if there is none."""
        path = self.path(name)
        return int(pq.read_metadata(path).num_rows) if path.exists() else 0

    def add(self, question: CollectedQuestion) -> None:
        """Add a question. It is on disk for good after the next `commit`."""
        self._buffers.setdefault(_month(question), []).append(question)
        self._n_buffered += 1
        self._n_characters += len(question.question.body)
        if self._n_characters >= _BUFFERED_CHARACTERS or self._n_buffered >= _BUFFERED_QUESTIONS:
            self._spill()

    def commit(self) -> dict[str, int]:
        """Put all added questions into the files of their months.

        A question that was there before is replaced. If a question was added twice, the first one
        counts.

        Returns
        -------
        dict of str to int
            How many questions each month that has changed holds now.
        """
        self._spill()
        with self._writing():
            self._close()
            parts, self._parts = self._parts, {}
            return {name: self._combine(name, parts[name]) for name in sorted(parts)}

    def _spill(self) -> None:
        """Write the buffered questions to hidden files."""
        with self._writing():
            for name, questions in sorted(self._buffers.items()):
                if name not in self._writers:
                    parts = self._parts.setdefault(name, [])
                    parts.append(self._unfinished(f"{name}-{len(parts)}"))
                    self._writers[name] = self._writer(parts[-1])
                rows = [question.values() for question in questions]
                self._writers[name].write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                self._n_groups += 1
            if self._n_groups > _MAX_OPEN_GROUPS:
                self._close()
            self._buffers = {}
            self._n_buffered = self._n_characters = 0

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Refuse to go on after writing was interrupted: a later commit would miss questions."""
        if self._interruption is not None:
            raise self._cannot_write(self._interruption)
        self._interruption = "an earlier attempt was interrupted"
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            self._interruption = error
            raise self._cannot_write(error) from error
        self._interruption = None

    def _close(self) -> None:
        writers, self._writers = self._writers, {}
        self._n_groups = 0
        with ExitStack() as all_of_them:
            for writer in writers.values():
                all_of_them.callback(_close, writer)

    def _combine(self, name: str, parts: list[Path]) -> int:
        """Replace a month's file by its old questions and the new ones."""
        path, target = self.path(name), parts[0]
        new_ids = pa.chunked_array([chunk for part in parts for chunk in _ids(part).chunks])
        has_doubles = len(pc.unique(new_ids.drop_null())) < len(new_ids)
        n_rows = len(new_ids)
        if path.exists() or has_doubles or len(parts) > 1:
            target, n_rows = self._unfinished(f"{name}-combined"), 0
            with self._open(target) as writer:
                for table in _combined(path, parts, new_ids):
                    writer.write_table(table)
                    n_rows += len(table)
        with target.open("rb") as file:
            os.fsync(file.fileno())
        target.replace(path)
        for part in parts:
            part.unlink(missing_ok=True)
        return n_rows

    @contextmanager
    def _open(self, path: Path) -> Iterator[pq.ParquetWriter]:
        writer = self._writer(path)
        try:
            yield writer
        finally:
            _close(writer)

    def _writer(self, path: Path) -> pq.ParquetWriter:
        schema = SCHEMA.with_metadata({**SCHEMA.metadata, _SITE: self._site.encode()})
        return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=_REPEATED_COLUMNS)

    def _unfinished(self, name: str) -> Path:
        return self.folder / f".{name}{_UNFINISHED}"

    def _locked(self) -> int:
        """Create and lock the folder. The lock ends with the process."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CollectError(
                f"{self.folder}: cannot use this folder: {error.strerror}. "
                "Name another one with --out."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise CollectError(
                f"{self.folder}: another command collects into this folder. Wait until it ends, or "
                "name another folder with --out."
            ) from error
        return lock

    def _check(self, path: Path) -> None:
        try:
            metadata = pq.read_schema(path).metadata or {}
        except (OSError, pa.ArrowException) as error:
            raise CollectError(
                f"{path}: this is not a readable Parquet file: {error}. Remove it, or name another "
                "folder with --out."
            ) from error
        if _SITE not in metadata:
            raise CollectError(
                f"{path}: another program wrote this file. Name another folder with --out."
            )
        found = metadata[_SITE].decode(errors="replace")
        if found != self._site:
            raise CollectError(
                f"{self.folder}: this folder holds questions of "
                f"{found or 'a site without a name'}, not of "
                f"{self._site or 'a site without a name'}. Name another folder with --out, or the "
                "site with --site."
            )

    def _cannot_write(self, error: Exception | str) -> CollectError:
        return CollectError(
            f"{self.folder}: cannot write the questions: {error}. Check the space on the disk. "
            "The files of the months are whole; run the same command again."
        )


def _close(writer: pq.ParquetWriter) -> None:
    try:
        writer.close()
    finally:
        # Otherwise, after a failure, the writer's destructor tries again and prints a traceback.
        writer.is_open = False


def _combined(old: Path, parts: Iterable[Path], new_ids: pa.ChunkedArray) -> Iterator[pa.Table]:
    if old.exists():
        known_ids = new_ids.combine_chunks()
        for batch in _batches(old):
            is_replaced = pc.is_in(batch["id"], value_set=known_ids, skip_nulls=True)
            yield pa.Table.from_batches([batch]).filter(pc.invert(is_replaced))
    seen: set[int] = set()
    for part in parts:
        for batch in _batches(part):
            is_first = pa.array(list(_are_first(batch["id"].to_pylist(), seen)))
            yield pa.Table.from_batches([batch]).filter(is_first)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS)


def _are_first(ids: Iterable[Any], seen: set[int]) -> Iterator[bool]:
    for each in ids:
        yield each is None or each not in seen
        seen.add(each)


def _ids(path: Path) -> pa.ChunkedArray:
    return pq.read_table(path, columns=["id"])["id"]


def _month(question: CollectedQuestion) -> str:
    date = question.question.creation_date
    return UNDATED if date is None else f"{date.year:04}-{date.month:02}"
