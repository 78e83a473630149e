"""Reads the event lines of past days from the log again, and writes them to the event store."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from lambda_src.event_archive.lines import EVENTS, Hour, sort_lines
from lambda_src.event_archive.merging import merge_hour
from scripts.event_store.erasing import erased_predictions, is_erased

EVENT_LINES: Final = '"event_version"'
"""The filter pattern of CloudWatch Logs for event lines. The subscription has the same."""
_LINES_PER_FILE: Final = 20_000


class Replayed(NamedTuple):
    """What a replay found."""

    lines: int
    set_aside: int
    """How many of the lines are no events that this release knows."""
    erased: int
    """How many lines were left out because their prediction was erased."""


def replay(
    logs: Any, store: Any, *, log_group: str, bucket: str, since: date, until: date
) -> Replayed:
    """Write the events of some days to the event store, as if they had just been delivered.

    It adds what is missing and changes nothing else. Each hour ends up in the same file, with the
    same content, however often its lines were delivered and in which batches.

    Parameters
    ----------
    logs, store
        boto3 clients for CloudWatch Logs and S3.
    log_group, bucket : str
        The log group of the API function, and the event store.
    since, until : date
        The first and the last day, in UTC.
    """
    erased = erased_predictions(store, bucket)
    hours = set()
    n_lines = n_set_aside = n_erased = 0
    for batch in _batches(logs, log_group, since, until):
        kept = [each for each in batch if not is_erased(each["message"], erased)]
        found = sort_lines(kept)
        for key, content in found.files.items():
            store.put_object(
                Bucket=bucket, Key=key, Body=content, ContentType="application/x-ndjson"
            )
            folder, day, name = key.split("/")
            if folder == EVENTS:
                hours.add(Hour(day.removeprefix("date="), name[:2]))
        n_lines += len(kept)
        n_set_aside += found.n_set_aside
        n_erased += len(batch) - len(kept)
    for hour in sorted(hours):
        merge_hour(store, bucket, hour)
    return Replayed(n_lines, n_set_aside, n_erased)


def _batches(logs: Any, log_group: str, since: date, until: date) -> Iterator[list[Any]]:
    start = datetime(since.year, since.month, since.day, tzinfo=UTC)
    end = datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group,
        startTime=int(start.timestamp() * 1000),
        endTime=int(end.timestamp() * 1000) - 1,
        filterPattern=EVENT_LINES,
    )
    batch: list[Any] = []
    for page in pages:
        batch += page["events"]
        if len(batch) >= _LINES_PER_FILE:
            yield batch
            batch = []
    if batch:
        yield batch
