"""Predictions with their feedback as flat rows, for tools that read tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from lambda_src.monitor import events, joining
from lambda_src.monitor.store import EventStore
from lambda_src.monitor.windows import WINDOW_DAYS
from scripts.exporting.columns import COLUMNS
from scripts.shared.terminal import UserError

BASELINE_DAYS: Final = 90
_MEMORY_MB: Final = 1024

Row = Mapping[str, Any]
"""The values of `COLUMNS`; None where there is none."""


class Table(NamedTuple):
    """What is exported."""

    baseline: Sequence[Row]
    """The 90 days before the current week, in the order of time."""
    current: Sequence[Row]
    """The last seven days."""


def read_table(store: EventStore, last_day: date) -> Table:
    """Read the predictions of the live model version, each with its newest feedback.

    Answers that the caller's options cut short are left out, as in the monitor's figures.

    Parameters
    ----------
    store
        The event store.
    last_day
        The last day of the current week.

    Raises
    ------
    UserError
        If the baseline or the current week has no predictions.
    """
    first_current = last_day - timedelta(days=WINDOW_DAYS - 1)
    first = first_current - timedelta(days=BASELINE_DAYS)
    rows = _rows(store, first, last_day)
    if not rows:
        raise UserError(
            f"There are no predictions from {first} to {last_day}. Name the last day with --day."
        )
    # During a canary, a tenth of the predictions are those of another version.
    newest = [row for row in rows if row["timestamp"][:10] == rows[-1]["timestamp"][:10]]
    [(version, _)] = Counter(row["model_version"] for row in newest).most_common(1)
    rows = [row for row in rows if row["model_version"] == version]
    table = Table(
        [row for row in rows if row["timestamp"][:10] < str(first_current)],
        [row for row in rows if row["timestamp"][:10] >= str(first_current)],
    )
    for name, found in table._asdict().items():
        if not found:
            raise UserError(
                f"The model {version} has no predictions for the {name} table: the current week "
                f"is {first_current} to {last_day}, the baseline is the {BASELINE_DAYS} days "
                "before. Name another last day with --day."
            )
    return table


def _rows(store: EventStore, first: date, last: date) -> list[Row]:
    days = [day for day in events.days_with(store, "events") if first <= day]
    found: list[Row] = []
    with events.database(_MEMORY_MB, 1) as (connection, workspace):
        compact = [
            made
            for day in days
            if day <= last + timedelta(days=joining.LATE_DAYS)
            and (made := events.compact(connection, store, day, workspace, folder="events"))
        ]
        joining.load_feedback(connection, compact)
        for made in compact:
            if made.day > last:
                continue
            joining.join(connection, made)
            cursor = connection.execute(
                """
                SELECT prediction_id, strftime(received_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp,
                    model_version, source, known_share, words, code_share, tags[1] AS first_tag,
                    array_to_string(tags, ' ') AS tags, len(tags) AS n_tags, top_confidence,
                    expected_jaccard, quiet_reason,
                    array_to_string(list_sort(final_tags), ' ') AS final_tags,
                    CASE WHEN final_tags IS NOT NULL THEN
                        len(list_intersect(tags, final_tags))
                            / len(list_distinct(list_concat(tags, final_tags)))
                    END AS jaccard
                FROM joined WHERE NOT cut_short ORDER BY received_at, prediction_id
                """
            )
            names = [column.name for column in COLUMNS]
            found += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found
