"""One run of the monitor: brings the files in the store up to date and computes the windows."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from lambda_src.monitor import daily, events
from lambda_src.monitor.daily import LATE_DAYS, day_file
from lambda_src.monitor.detectors import Release, find_drift
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.events import CompactDay, days_with
from lambda_src.monitor.report import write_reports
from lambda_src.monitor.shares import MAX_SHARE
from lambda_src.monitor.store import EventStore
from lambda_src.monitor.windows import Figure, window_figures

KEPT_FEEDBACK_DAYS: Final = 2
"""After so many days, a day file keeps what it says about the feedback that came on that day. To
count it again, a run would need the predictions of another 30 days."""
_RECENT: Final = 100
"""So many of the newest predictions decide which model version is live. During a canary, a tenth
of them are the new version's."""
_PARALLEL_READS: Final = 16


class Outcome(NamedTuple):
    """What a run found."""

    today: date
    days: Sequence[Mapping[str, Any]]
    """All day files, in the order of time."""
    live_version: str | None
    """The model version that answers; None if there are no predictions."""
    figures: Mapping[str, Figure]
    """Of the live version over the last days; empty if there is none."""
    findings: Sequence[Finding]
    """Of the drift detectors of the live version; empty if its baseline is not known."""


def run(
    store: EventStore,
    today: date,
    *,
    release: Release | None = None,
    memory_mb: int,
    threads: int,
    share: float = MAX_SHARE,
) -> Outcome:
    """Restate the day files, look for drift, and write the report.

    Each day of the last `LATE_DAYS` days is computed again, because feedback comes late, and so is
    every day that has no day file yet. The same events give the same files.

    Parameters
    ----------
    store : EventStore
    today : date
        The last day that is looked at; later events are ignored.
    release : Release, optional
        The release with the baseline that drift is measured from.
    memory_mb, threads : int
        What DuckDB may use.
    share : float
        The largest share of the feedback that counts for one principal: see `most_counted`.
    """
    with events.database(memory_mb, threads) as (connection, workspace):
        compacts = _Compacts(connection, store, workspace, today)
        days = _restate(connection, store, compacts, today, share)
        live_version = _live_version(connection, compacts)
        findings: Sequence[Finding] = ()
        if live_version is not None:
            first = min(day["day"] for day in days if live_version in day["models"])
            findings = find_drift(
                connection,
                store,
                partial(compacts.of, "events"),
                version=live_version,
                release=release,
                first=date.fromisoformat(first),
                today=today,
                share=share,
            )
    figures = window_figures(days, live_version, today) if live_version else {}
    if days:
        write_reports(store, days, findings, today)
    return Outcome(today, days, live_version, figures, findings)


class _Compacts:
    """The compact files of days up to today, each made or fetched at its first use."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        store: EventStore,
        workspace: Path,
        today: date,
    ) -> None:
        self._connection, self._store, self._workspace = connection, store, workspace
        self._made: dict[tuple[str, date], CompactDay | None] = {}
        self.days = {
            folder: [day for day in days_with(store, folder) if day <= today]
            for folder in ("events", "audits")
        }

    def of(self, folder: str, first: date, last: date) -> list[CompactDay]:
        """Return the compact files of the days from `first` to `last` for which there are any."""
        within = [day for day in self.days[folder] if first <= day <= last]
        return [made for day in within if (made := self._one(folder, day)) is not None]

    def _one(self, folder: str, day: date) -> CompactDay | None:
        if (folder, day) not in self._made:
            self._made[folder, day] = events.compact(
                self._connection, self._store, day, self._workspace, folder=folder
            )
        return self._made[folder, day]


def _restate(
    connection: duckdb.DuckDBPyConnection,
    store: EventStore,
    compacts: _Compacts,
    today: date,
    share: float,
) -> list[Mapping[str, Any]]:
    """Write the day files that may have changed; return all of them up to today."""
    kept = _read_days(store, today)
    first_late = today - timedelta(days=LATE_DAYS)
    every = sorted({*compacts.days["events"], *compacts.days["audits"]})
    restated = [day for day in every if day >= first_late or day not in kept]
    if restated:
        last = restated[-1] + timedelta(days=LATE_DAYS)
        daily.load_feedback(
            connection, compacts.of("events", restated[0] - timedelta(days=1), last)
        )
    for day in restated:
        before = kept.get(day)
        value = _day(connection, compacts, day, share)
        if before is not None and day < today - timedelta(days=KEPT_FEEDBACK_DAYS):
            value["feedback"] = before["feedback"]
        else:
            value["feedback"] = _feedback(connection, compacts, day)
        if value != before:
            store.write(f"days/{day}.json", day_file(value))
        kept[day] = value
    return [kept[day] for day in sorted(kept)]


def _read_days(store: EventStore, today: date) -> dict[date, Mapping[str, Any]]:
    """Read the day files up to today. One of another version is not used, but written again."""
    keys = [
        key for key in store.list("days/") if key.endswith(".json") and key <= f"days/{today}.json"
    ]
    with ThreadPoolExecutor(_PARALLEL_READS) as pool:
        files = [json.loads(data) for data in pool.map(store.read, keys) if data is not None]
    return {
        date.fromisoformat(each["day"]): each for each in files if each["version"] == daily.VERSION
    }


def _day(
    connection: duckdb.DuckDBPyConnection, compacts: _Compacts, day: date, share: float
) -> dict[str, Any]:
    value: dict[str, Any] = {"version": daily.VERSION, "day": str(day), "models": {}, "audits": {}}
    reasons: dict[str, int] = {}
    doubles = 0
    for made in compacts.of("events", day, day):
        daily.join(connection, made)
        daily.limit_shares(connection, share)
        value["models"] = daily.model_figures(connection)
        reasons, doubles = dict(made.set_aside), made.doubles
    for made in compacts.of("audits", day, day):
        value["audits"] = daily.audit_figures(connection, made)
        reasons |= {f"audit: {reason}": count for reason, count in made.set_aside.items()}
    value["set_aside"] = sum(reasons.values())
    value["set_aside_reasons"] = reasons
    value["doubles"] = doubles
    return value


def _feedback(
    connection: duckdb.DuckDBPyConnection, compacts: _Compacts, day: date
) -> dict[str, int]:
    possible = list(daily.prediction_days(day))
    for made in compacts.of("events", day, day):
        return daily.feedback_received(
            connection, made, compacts.of("events", possible[0], possible[-1])
        )
    return {"received": 0, "without_prediction": 0}


def _live_version(connection: duckdb.DuckDBPyConnection, compacts: _Compacts) -> str | None:
    """Return the model version of most of the newest predictions."""
    for day in reversed(compacts.days["events"]):
        for made in compacts.of("events", day, day):
            found = connection.execute(
                """
                SELECT model_version FROM (
                    SELECT model_version FROM read_parquet(?) WHERE event_type = 'prediction'
                    ORDER BY received_at DESC, prediction_id LIMIT ?
                ) GROUP BY model_version ORDER BY count(*) DESC, model_version DESC LIMIT 1
                """,
                [str(made.path), _RECENT],
            ).fetchone()
            if found:
                return str(found[0])
    return None
