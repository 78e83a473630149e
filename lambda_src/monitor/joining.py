"""Predictions with their feedback: which belongs to which, and which counts."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

import duckdb

from lambda_src.monitor.events import CompactDay
from lambda_src.monitor.shares import MAX_SHARE, most_counted
from lambda_src.tagger.rules import MAX_TAGS

LATE_DAYS: Final = 30
"""How many days after its prediction feedback still counts."""
_CUT_SHORT: Final = f"""
    coalesce(max_tags < {MAX_TAGS}, false)
    OR coalesce(min_confidence > 0, false)
    OR coalesce(excluded > 0, false)
"""
"""Whether the caller's options may have made the answer shorter than the model's own."""
WHOLE: Final = f"NOT ({_CUT_SHORT})"
"""Whether an answer is the model's own, as SQL."""


def load_feedback(connection: duckdb.DuckDBPyConnection, days: Sequence[CompactDay]) -> None:
    """Make the table `feedback` of all feedback of some days.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    days : sequence of CompactDay
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE feedback (
            prediction_id VARCHAR, received_at TIMESTAMP, line_digest VARCHAR, accepted VARCHAR[],
            final_tags VARCHAR[], unknown_tags VARCHAR[], authenticated BOOLEAN
        )
        """
    )
    if days:
        connection.execute(
            """
            INSERT INTO feedback SELECT prediction_id, received_at, line_digest,
                list_distinct(accepted),
                -- An empty list says nothing about the tags.
                CASE WHEN len(final_tags) > 0 THEN list_distinct(final_tags) END,
                list_distinct(coalesce(unknown_tags, [])), coalesce(authenticated, false)
            FROM read_parquet(?) WHERE event_type = 'feedback'
            """,
            [[str(each.path) for each in days]],
        )


def join(connection: duckdb.DuckDBPyConnection, day: CompactDay) -> None:
    """Make the table `joined`: the day's predictions, each with its newest feedback.

    It needs the table that `load_feedback` makes, with the feedback of the day before (clocks
    differ) to `LATE_DAYS` days later.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE joined AS
        WITH prediction AS (
            SELECT * EXCLUDE (accepted, final_tags, unknown_tags, authenticated),
                {_CUT_SHORT} AS cut_short
            FROM read_parquet(?) WHERE event_type = 'prediction'
        ), newest AS (
            SELECT * FROM feedback
            WHERE received_at::DATE BETWEEN ?::DATE - 1 AND ?::DATE + {LATE_DAYS}
                AND prediction_id IN (SELECT prediction_id FROM prediction)
            QUALIFY row_number() OVER (
                PARTITION BY prediction_id ORDER BY received_at DESC, line_digest
            ) = 1
        )
        SELECT prediction.*, newest.accepted, newest.final_tags, newest.unknown_tags,
            newest.authenticated, newest.prediction_id IS NOT NULL AS has_feedback,
            false AS over_share
        FROM prediction LEFT JOIN newest USING (prediction_id)
        """,  # noqa: S608 (constants of this module)
        [str(day.path), day.day, day.day],
    )


def limit_shares(connection: duckdb.DuckDBPyConnection, share: float = MAX_SHARE) -> None:
    """Leave out what a principal's feedback has above its share of the table `joined`.

    Each model version has its own limit, and so have the answers that were cut short. The principal
    is that of the prediction: its pseudonym is of the day that the figures are about, whenever the
    feedback came. Which feedback counts is decided by the identifiers of the predictions, which the
    service draws at random.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    share : float
        See `most_counted`.
    """
    groups: dict[tuple[str, bool], dict[str | None, int]] = {}
    for version, cut_short, principal, count in connection.execute(
        """
        SELECT model_version, cut_short, principal, count(*) FROM joined WHERE has_feedback
        GROUP BY ALL
        """
    ).fetchall():
        groups.setdefault((version, cut_short), {})[principal] = count
    for (version, cut_short), counts in groups.items():
        unnamed = counts.pop(None, 0)
        most = most_counted(list(counts.values()), unnamed, share)
        if most >= max(counts.values(), default=0):
            continue
        connection.execute(
            """
            UPDATE joined
            SET accepted = NULL, final_tags = NULL, unknown_tags = NULL, over_share = true
            WHERE prediction_id IN (
                SELECT prediction_id FROM joined
                WHERE has_feedback AND model_version = ? AND cut_short = ?
                    AND principal IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY principal ORDER BY prediction_id) > ?
            )
            """,
            [version, cut_short, most],
        )


def feedback_received(
    connection: duckdb.DuckDBPyConnection, day: CompactDay, before: Sequence[CompactDay]
) -> dict[str, int]:
    """Count a day's feedback by whether there is a prediction with its id.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    day : CompactDay
        The day on which the feedback came.
    before : sequence of CompactDay
        The days that its predictions may be of: `LATE_DAYS` days before to the day after.
    """
    ((received, without),) = connection.execute(
        """
        WITH received AS (
            SELECT DISTINCT prediction_id FROM read_parquet(?) WHERE event_type = 'feedback'
        )
        SELECT count(*), count(*) FILTER (prediction_id NOT IN (
            SELECT prediction_id FROM read_parquet(?) WHERE event_type = 'prediction'
        )) FROM received
        """,
        [str(day.path), [str(each.path) for each in before]],
    ).fetchall()
    return {"received": received, "without_prediction": without}


def prediction_days(day: date) -> Iterator[date]:
    """Yield the days that the predictions of a day's feedback may be of."""
    return (day + timedelta(days=each) for each in range(-LATE_DAYS, 2))
