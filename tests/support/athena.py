"""The queries for Athena, and what the monitor says about the same days."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from tests.support.paths import ROOT

_FOLDER: Final = ROOT / "infra_cdk" / "athena"
RATES: Final = (
    "prediction_rate",
    "micro_jaccard",
    "sample_jaccard",
    "micro_f1",
    "sample_f1",
    "precision_at_1",
    "acceptance_rate",
    "expected_jaccard",
)
COUNTS: Final = ("predictions", "feedbacks", "judged")

Figures = dict[tuple[str, str, bool], dict[str, float | None]]
"""By day, model version, and whether the answers were cut short."""


def table_statement(bucket: str) -> str:
    """Return the statement that creates the table of events."""
    return (_FOLDER / "create_table.sql").read_text().replace("BUCKET", bucket)


def figures_query(first: date, last: date) -> str:
    """Return the query of the daily figures."""
    text = (_FOLDER / "daily_figures.sql").read_text()
    return text.replace("FIRST_DAY", str(first)).replace("LAST_DAY", str(last))


def figures_of_rows(rows: Iterable[Mapping[str, Any]]) -> Figures:
    """Read the rows of the query, whose values may be texts."""
    return {
        (row["day"], row["model_version"], str(row["cut_short"]).lower() == "true"): {
            name: None if row[name] in {None, ""} else float(row[name])
            for name in (*COUNTS, *RATES)
        }
        for row in rows
    }


def figures_of_days(days: Iterable[Mapping[str, Any]]) -> Figures:
    """Read the same figures from the monitor's day files."""
    found: Figures = {}
    for day in days:
        for version, figures in day["models"].items():
            for cut_short, some in ((False, figures), (True, figures.get("cut_short"))):
                if some and some["predictions"]:
                    values = {name: some[name] for name in COUNTS}
                    values |= {name: some[name]["value"] for name in RATES}
                    found[day["day"], version, cut_short] = values
    return found
