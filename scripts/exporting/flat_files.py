"""The table as CSV files: for Fiddler with a description of the model, and for Evidently."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from scripts.exporting.columns import COLUMNS, Column
from scripts.exporting.rows import Row, Table

_FIDDLER_TYPES: Final = {
    "fraction": "float",
    "integer": "int",
    "category": "category",
    "text": "str",
    "time": "timestamp",
}
_FIDDLER_ROLES: Final = {
    "inputs": "input",
    "outputs": "output",
    "targets": "target",
    "metadata": "metadata",
}


def write_evidently(table: Table, folder: Path) -> list[Path]:
    """Write ``reference.csv`` and ``current.csv``, by Evidently's names.

    Parameters
    ----------
    table
        What to export.
    folder
        The folder for the files; it exists.
    """
    return [
        _write_csv(table.baseline, folder / "reference.csv"),
        _write_csv(table.current, folder / "current.csv"),
    ]


def write_fiddler(table: Table, folder: Path) -> list[Path]:
    """Write ``model.json``, the baseline and the events.

    The parts of ``model.json`` are the arguments of ``fiddler.Model`` in the package
    fiddler-client: ``schema`` (`ModelSchema`), ``spec`` (`ModelSpec`), ``task`` and the columns of
    an event's id and time.

    Parameters
    ----------
    table
        What to export.
    folder
        The folder for the files; it exists.
    """
    path = folder / "model.json"
    text = json.dumps(fiddler_model(table.baseline), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return [
        path,
        _write_csv(table.baseline, folder / "baseline.csv"),
        _write_csv(table.current, folder / "events.csv"),
    ]


def fiddler_model(baseline: Sequence[Row]) -> dict[str, Any]:
    """Describe the model to Fiddler, with the ranges and categories of the baseline."""
    return {
        "name": "etiquette",
        # A question has several tags, for which Fiddler has no task of its own.
        "task": "not_set",
        "schema": {
            "schema_version": 1,
            "columns": [_fiddler_column(column, baseline) for column in COLUMNS],
        },
        "spec": {
            "schema_version": 1,
            **{
                name: [column.name for column in COLUMNS if column.role == role]
                for name, role in _FIDDLER_ROLES.items()
            },
        },
        "event_id_col": "prediction_id",
        "event_ts_col": "timestamp",
    }


def _fiddler_column(column: Column, baseline: Sequence[Row]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": column.name, "data_type": _FIDDLER_TYPES[column.kind]}
    present = [row[column.name] for row in baseline if row[column.name] is not None]
    if column.kind == "fraction":
        described |= {"min": 0.0, "max": 1.0}
    elif column.kind == "integer":
        described |= {"min": min(present), "max": max(present)}
    elif column.kind == "category":
        described["categories"] = sorted(set(present))
    return described


def _write_csv(rows: Sequence[Row], path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in COLUMNS])
        writer.writeheader()
        writer.writerows(rows)
    return path
