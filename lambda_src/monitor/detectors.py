"""Feeds the drift detectors of a model version with its events, day by day, and keeps their state.

The stored state ends two days ago. Each run gives the detectors the days since then once more, so
that lines that come some hours late still count, and running twice changes nothing. A state that is
lost, damaged or ahead of the clock is made again from the events that are still there.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.drift.observations import FIGURES, Feedbacks, Predictions
from lambda_src.monitor.drift.watch import DriftWatch
from lambda_src.monitor.events import CompactDay
from lambda_src.monitor.joining import LATE_DAYS, WHOLE
from lambda_src.monitor.shares import MAX_SHARE, most_counted
from lambda_src.monitor.store import EventStore

VERSION: Final = 1
"""Of state files."""
SETTLED_DAYS: Final = 2
"""After so many days, all events of a day are in the store."""
_ROWS: Final = 50_000
"""So many rows are observed at a time, which limits the memory."""

Days = Callable[[date, date], Sequence[CompactDay]]
"""Returns the compact days from one day to another, both included."""


class Release(NamedTuple):
    """What the monitor knows about a release."""

    version: str
    baseline: Mapping[str, Any] | None
    """The `baseline` of the bundle's manifest; None if the bundle has none."""


def find_drift(
    connection: duckdb.DuckDBPyConnection,
    store: EventStore,
    days: Days,
    *,
    version: str,
    release: Release | None,
    first: date,
    newest: date,
    today: date,
    share: float = MAX_SHARE,
) -> list[Finding]:
    """Observe the days that the detectors have not seen, and return what they found.

    The state keeps the baseline of its version. So after a rollback the older version's detectors
    go on, although the bundle of the release is another one.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    store : EventStore
    days : callable
        See `Days`.
    version : str
        The model version that is watched.
    release : Release or None
        The release with the baseline, if it is known.
    first, newest, today : date
        The first day with predictions of this version, the newest day with events in the store, and
        the last day to observe.
    share : float
        The largest share of a day's feedback that counts for one principal: see `most_counted`.

    Returns
    -------
    list of Finding
        Empty if there is no baseline of this version.
    """
    key = f"state/{version}.json"
    kept = _read_state(store, key)
    if release is not None and release.version == version and release.baseline is not None:
        kept["baseline"] = release.baseline
    if "baseline" not in kept:
        return []
    # Not after the newest events: the clock of a run may be ahead of them.
    settled = min(today, newest) - timedelta(days=SETTLED_DAYS)
    watch, observed = _resume(kept)
    is_ahead = observed is not None and observed > settled
    if is_ahead:
        watch, observed = DriftWatch(Baseline.from_json(kept["baseline"])), None
    start = first if observed is None else observed + timedelta(days=1)
    for day in _each_day(start, settled):
        _observe(connection, days, watch, day, version=version, share=share)
    # A look at an earlier day leaves the state to the runs of today.
    if start <= settled and not (is_ahead and newest > today):
        state = {
            "version": VERSION,
            "model_version": version,
            "observed_until": str(settled),
            "baseline": kept["baseline"],
            "watch": watch.state(),
        }
        # Not sorted: the order of a baseline's tags has a meaning.
        store.write(key, json.dumps(state, ensure_ascii=False).encode())
    for day in _each_day(max(start, settled + timedelta(days=1)), today):
        _observe(connection, days, watch, day, version=version, share=share)
    return watch.findings()


def _read_state(store: EventStore, key: str) -> dict[str, Any]:
    """Read a state; one that cannot be read is as good as none, because the days are there."""
    data = store.read(key)
    try:
        state = json.loads(data or b"{}")
        if state.get("version") != VERSION:
            return {}
        Baseline.from_json(state["baseline"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}
    return dict(state)


def _resume(kept: Mapping[str, Any]) -> tuple[DriftWatch, date | None]:
    """Return the detectors and the last day that they have observed."""
    baseline = Baseline.from_json(kept["baseline"])
    if "watch" in kept:
        try:
            return DriftWatch(baseline, kept["watch"]), date.fromisoformat(kept["observed_until"])
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
    return DriftWatch(baseline), None


def _each_day(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _observe(
    connection: duckdb.DuckDBPyConnection,
    days: Days,
    watch: DriftWatch,
    day: date,
    *,
    version: str,
    share: float,
) -> None:
    """Give the detectors a day: its predictions, and the feedback that came on it."""
    within = days(day, day)
    if not within:
        return
    nothing = Feedbacks.from_events([])
    for predictions in _predictions(connection, within[0], version):
        watch.observe(predictions, nothing)
    before = days(day - timedelta(days=LATE_DAYS), day)
    for feedbacks in _feedbacks(connection, within[0], before, version, share):
        watch.observe(Predictions.from_events([]), feedbacks)


def _predictions(
    connection: duckdb.DuckDBPyConnection, day: CompactDay, version: str
) -> Iterator[Predictions]:
    """Yield a version's predictions of a day, in the order of time."""
    cursor = connection.execute(
        f"""
        SELECT tags, {", ".join(FIGURES)} FROM read_parquet(?)
        WHERE event_type = 'prediction' AND model_version = ? AND {WHOLE}
        ORDER BY received_at, prediction_id
        """,  # noqa: S608 (constants)
        [str(day.path), version],
    )
    while rows := cursor.fetchmany(_ROWS):
        tags, *figures = zip(*rows, strict=True)
        yield Predictions(_days(day.day, len(rows)), np.array(figures, dtype=np.float64).T, tags)


def _feedbacks(
    connection: duckdb.DuckDBPyConnection,
    day: CompactDay,
    before: Sequence[CompactDay],
    version: str,
    share: float,
) -> Iterator[Feedbacks]:
    """Yield the feedback about a version's predictions that came on a day, in the order of time.

    Feedback counts on the first day on which it came for its prediction; what came later for the
    same prediction is a correction, and observing it would count the prediction twice. Of each
    principal, a part counts: its pseudonym is that of the day on which the feedback came.
    """
    earlier = [str(each.path) for each in before if each.day < day.day]
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE received AS
        SELECT prediction_id, received_at, list_distinct(final_tags) AS final_tags,
            coalesce(unknown_tags, []) AS unknown_tags, principal
        FROM read_parquet(?) WHERE event_type = 'feedback' AND len(final_tags) > 0
        QUALIFY row_number() OVER (
            PARTITION BY prediction_id ORDER BY received_at DESC, line_digest
        ) = 1
        """,
        [str(day.path)],
    )
    if earlier:
        connection.execute(
            """
            DELETE FROM received WHERE prediction_id IN (
                SELECT prediction_id FROM read_parquet(?)
                WHERE event_type = 'feedback' AND len(final_tags) > 0
            )
            """,
            [earlier],
        )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        WITH prediction AS (
            SELECT prediction_id, tags, confidences FROM read_parquet(?)
            WHERE event_type = 'prediction' AND model_version = ? AND {WHOLE}
                AND prediction_id IN (SELECT prediction_id FROM received)
        )
        SELECT prediction_id, received_at, principal, tags, confidences, final_tags,
            list_intersect(final_tags, unknown_tags) AS unknown_tags
        FROM received JOIN prediction USING (prediction_id)
        """,  # noqa: S608 (constants)
        [[str(each.path) for each in before], version],
    )
    counts: dict[str | None, int] = dict(
        connection.execute("SELECT principal, count(*) FROM judged GROUP BY ALL").fetchall()
    )
    unnamed = counts.pop(None, 0)
    cursor = connection.execute(
        """
        SELECT tags, confidences, final_tags, unknown_tags FROM judged
        QUALIFY principal IS NULL
            OR row_number() OVER (PARTITION BY principal ORDER BY prediction_id) <= ?
        ORDER BY received_at, prediction_id
        """,
        [most_counted(list(counts.values()), unnamed, share)],
    )
    while rows := cursor.fetchmany(_ROWS):
        yield Feedbacks(_days(day.day, len(rows)), *zip(*rows, strict=True))


def _days(day: date, count: int) -> Any:
    return np.full(count, np.datetime64(day, "D"))
