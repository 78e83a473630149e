"""The figures of one day: what the day's predictions were worth, for each model version.

A figure belongs to the day of the prediction, also if its feedback came later.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb

from lambda_src.monitor.details import details
from lambda_src.monitor.events import CompactDay
from lambda_src.monitor.rates import (
    columns_of_audit,
    columns_of_predictions,
    figures_of,
    no_figures,
)

VERSION: Final = 1
"""Of day files."""


def model_figures(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Return the figures of the table `joined` by model version, as a day file has them."""
    rows = _rows(
        connection,
        f"""
        SELECT model_version, cut_short, {", ".join(columns_of_predictions())}
        FROM joined GROUP BY ALL ORDER BY ALL
        """,  # noqa: S608 (constants of rates.py)
    )
    figures: dict[str, dict[str, Any]] = {}
    for row in rows:
        version, cut_short = row.pop("model_version"), row.pop("cut_short")
        of_version = figures.setdefault(version, {})
        if cut_short:
            of_version["cut_short"] = figures_of(row)
        else:
            of_version |= figures_of(row)
    # A version may have had nothing but answers that were cut short.
    return {
        version: no_figures() | found | details(connection, version)
        for version, found in figures.items()
    }


def audit_figures(
    connection: duckdb.DuckDBPyConnection, day: CompactDay
) -> dict[str, dict[str, Any]]:
    """Return the figures of a day's audit by model version.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    day : CompactDay
        Of the folder `audits`.
    """
    rows = _rows(
        connection,
        f"""
        SELECT model_version, {", ".join(columns_of_audit())}
        FROM (SELECT * REPLACE (list_distinct(final_tags) AS final_tags) FROM read_parquet(?))
        GROUP BY ALL ORDER BY model_version
        """,  # noqa: S608 (constants of rates.py)
        [str(day.path)],
    )
    return {row.pop("model_version"): figures_of(row) for row in rows}


def day_file(value: Mapping[str, Any]) -> bytes:
    """Return a day file or another JSON file with the same bytes for the same value."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
