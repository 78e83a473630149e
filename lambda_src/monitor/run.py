"""One run of the monitor: brings the files in the store up to date and computes the windows."""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from lambda_src.monitor import daily, events, joining
from lambda_src.monitor.daily import day_file
from lambda_src.monitor.detectors import Release, find_drift
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.events import CompactDay, days_with
from lambda_src.monitor.joining import LATE_DAYS
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
_LOG: Final = logging.getLogger(__name__)


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
        The last day that is looked at. Later predictions are ignored; later feedback counts, so
        that a run for an earlier day gives the same day files.
    release : Release, optional
        The release with the baseline that drift is measured from.
    memory_mb, threads : int
        What DuckDB may use.
    share : float
        The largest share of the feedback that counts for one principal: see `most_counted`.
    """
    with events.database(memory_mb, threads) as (connection, workspace):
        compacts = _Compacts(connection, store, workspace)
        days = _restate(connection, store, compacts, today, share)
        live_version = _live_version(connection, compacts, today)
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
                newest=compacts.days["events"][-1],
                today=today,
                share=share,
            )
    figures = window_figures(days, live_version, today) if live_version else {}
    if days:
        write_reports(store, days, findings, today)
    return Outcome(today, days, live_version, figures, findings)


class _Compacts:
    """The compact files of all days, each made or fetched at its first use."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, store: EventStore, workspace: Path
    ) -> None:
        self._connection, self._store, self._workspace = connection, store, workspace
        self._made: dict[tuple[str, date], CompactDay | None] = {}
        self.days = {folder: days_with(store, folder) for folder in ("events", "audits")}

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
    restated = [day for day in every if day <= today and (day >= first_late or day not in kept)]
    if restated:
        last = restated[-1] + timedelta(days=LATE_DAYS)
        joining.load_feedback(
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
    """Read the day files up to today.

    One that is damaged or has another version is not used, but written again from the events.
    """
    keys = [
        key for key in store.list("days/") if key.endswith(".json") and key <= f"days/{today}.json"
    ]
    days = {}
    with ThreadPoolExecutor(_PARALLEL_READS) as pool:
        for key, data in zip(keys, pool.map(store.read, keys), strict=True):
            if data is None:
                continue
            try:
                file = json.loads(data)
                version, day = file["version"], date.fromisoformat(file["day"])
            except (ValueError, LookupError, TypeError):
                _LOG.warning(
                    "%s is no day file. It is written again from the events of the day. If those "
                    "are deleted already, its figures are lost: restore the file from a backup, or "
                    "delete it.",
                    key,
                )
            else:
                if version == daily.VERSION:
                    days[day] = file
    return days


def _day(
    connection: duckdb.DuckDBPyConnection, compacts: _Compacts, day: date, share: float
) -> dict[str, Any]:
    value: dict[str, Any] = {"version": daily.VERSION, "day": str(day), "models": {}, "audits": {}}
    reasons: dict[str, int] = {}
    doubles = 0
    for made in compacts.of("events", day, day):
        joining.join(connection, made)
        joining.limit_shares(connection, share)
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
    possible = list(joining.prediction_days(day))
    for made in compacts.of("events", day, day):
        return joining.feedback_received(
            connection, made, compacts.of("events", possible[0], possible[-1])
        )
    return {"received": 0, "without_prediction": 0}


def _live_version(
    connection: duckdb.DuckDBPyConnection, compacts: _Compacts, today: date
) -> str | None:
    """Return the model version of most of the newest predictions up to today."""
    for day in reversed([day for day in compacts.days["events"] if day <= today]):
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
