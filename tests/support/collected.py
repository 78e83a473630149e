"""What a folder of collected questions holds."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def rows_by_file(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each month's file, by its name without the ending."""
    return {
        path.stem: pq.ParquetFile(path).read().to_pylist()
        for path in sorted(folder.glob("*.parquet"))
    }


def all_ids(folder: Path) -> list[int]:
    """The ids of all questions, sorted; a question that is there twice counts twice."""
    return sorted(row["id"] for rows in rows_by_file(folder).values() for row in rows)
