"""Write questions and tag sets as Parquet."""

from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from model_build.corpus.parquet_files import PLAIN_TITLES
from model_build.questions import Question
from model_build.tag_sets import TagSet

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("site", pa.string()),
        ("source", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("body_format", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("creation_date", pa.timestamp("us")),
        ("view_count", pa.int64()),
        ("score", pa.int64()),
        ("answer_count", pa.int64()),
    ],
    metadata={PLAIN_TITLES: b"true"},
)
_BATCH_ROWS = 10_000


def write_questions(questions: Iterable[Question], path: Path) -> None:
    """Write questions to a Parquet file that `read_questions` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (asdict(question) for question in questions)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH_ROWS)):
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))


def write_tag_sets(tag_sets: Iterable[TagSet], path: Path) -> None:
    """Write tag sets to a Parquet file that `read_tag_sets` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("id", pa.int64()), ("tags", pa.list_(pa.string()))])
    rows = [each._asdict() for each in tag_sets]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")
