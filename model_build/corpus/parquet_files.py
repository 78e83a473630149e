"""Read Parquet files, and folders of them as Spark and pandas write."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from model_build.corpus.columns import OF_QUESTIONS, find_columns
from model_build.corpus.errors import CorpusError
from model_build.corpus.records import Advance, Record
from model_build.corpus.rejects import Rejects

PLAIN_TITLES = b"etiquette.plain_titles"
"""In a file's metadata: its titles are not HTML-escaped."""
_BATCH_ROWS = 2_000


def read_parquet(
    path: Path, rejects: Rejects, advance: Advance, required: Sequence[str] = OF_QUESTIONS
) -> Iterator[Record]:
    """Yield the rows of a file, or of all files in a folder, in the order of their names.

    The folders of a partitioned corpus, such as ``site=cooking``, are a column.
    """
    del rejects  # a Parquet file has types: a row is well formed, or the file is damaged
    done = 0
    for part in _parts(path):
        partition = _partition(part.relative_to(path)) if part != path else {}
        try:
            yield from _read_part(part, partition, advance, done, required)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise CorpusError(
                f"{part}: this is not a readable Parquet file: {error}. Export it again."
            ) from error
        done += part.stat().st_size


def _parts(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    # Programs give their checksums and summaries names that begin with a dot or an underscore.
    parts = sorted(part for part in path.rglob("*.parquet") if part.name[0] not in "._")
    parts = [part for part in parts if part.is_file()]
    if not parts:
        raise CorpusError(f"{path}: there is no Parquet file in this folder.")
    return parts


def _partition(path: Path) -> dict[str, object]:
    """Read the values in the names of folders, such as ``site=cooking``."""
    names = [folder.split("=", 1)[0] for folder in path.parts[:-1] if "=" in folder]
    scheme = ds.HivePartitioning(pa.schema([(name, pa.string()) for name in names]))
    partition: dict[str, object] = ds.get_partition_keys(scheme.parse(path.as_posix()))
    return partition


def _read_part(
    path: Path,
    partition: dict[str, object],
    advance: Advance,
    offset: int,
    required: Sequence[str],
) -> Iterator[Record]:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        stored = [*schema.names, *(name for name in partition if name not in schema.names)]
        fields = find_columns(path, stored, required)
        is_plain = PLAIN_TITLES in (schema.metadata or {})
        names = {stored[position]: field for position, field in fields.items()}
        constants = {field: partition[name] for name, field in names.items() if name in partition}
        columns = [name for name in names if name in schema.names]
        size, n_rows, row = path.stat().st_size, max(file.metadata.num_rows, 1), 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
            values = {names[name]: _values(batch[name]) for name in columns}
            for place in range(batch.num_rows):
                row += 1
                found = {field: column[place] for field, column in values.items()}
                yield Record(path, row, constants | found, has_plain_title=is_plain)
            advance(offset + size * row // n_rows)


def _values(column: pa.Array) -> Sequence[object]:
    if pa.types.is_timestamp(column.type):
        # Python has no nanoseconds, and may not know the zone. Without one, times are in UTC.
        unit = "us" if column.type.unit == "ns" else column.type.unit
        column = column.cast(pa.timestamp(unit), safe=False)
    try:
        values: list[object] = column.to_pylist()
    except (ValueError, OverflowError):
        values = [_value(scalar) for scalar in column]
    return values


def _value(scalar: pa.Scalar) -> object:
    """Return a value that Python can hold, or else one that its row is rejected for."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return bytes(scalar.as_buffer())
    except (ValueError, OverflowError):
        return f"{scalar.cast(pa.int64(), safe=False)} as {scalar.type}"
