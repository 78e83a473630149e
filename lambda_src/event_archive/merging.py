"""Merges the small files of an hour into one file, whose content does not depend on the batches."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from .lines import EVENTS, Hour, read_event

MAX_MERGED_BYTES: Final = 64 * 2**20
"""Hours with more than this stay in several files, which are large enough for any reader."""
SETTLED_AFTER: Final = timedelta(minutes=15)
"""How long after its end an hour is merged: almost all of its lines have arrived by then. A file
that arrives later is merged by a later run."""
MERGED_DAYS: Final = 2
"""How many days before today are merged, too. Lambda repeats a failed batch for six hours."""
_DELETED_AT_ONCE: Final = 1000


class StoredFile(NamedTuple):
    """A file of the event store."""

    key: str
    size: int
    """In bytes."""


def settled_hours(now: datetime) -> Iterable[Hour]:
    """Return the hours that a run merges.

    Parameters
    ----------
    now : datetime
        With a time zone.
    """
    now = now.astimezone(UTC)
    start = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=MERGED_DAYS)
    while start + timedelta(hours=1) + SETTLED_AFTER <= now:
        yield Hour.of(start)
        start += timedelta(hours=1)


def list_files(store: Any, bucket: str, prefix: str) -> list[StoredFile]:
    """List the files whose keys begin with a prefix.

    Parameters
    ----------
    store
        A boto3 client for S3.
    bucket, prefix : str
    """
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        StoredFile(found["Key"], found["Size"])
        for page in pages
        for found in page.get("Contents", [])
    ]


def merge_hour(store: Any, bucket: str, hour: Hour) -> bool:
    """Merge the files of an hour: each line once, in the order of time.

    The merged file is written before the others are deleted. If a run stops in between, some lines
    are there twice until the next run; readers ignore equal lines. Two runs at the same time cannot
    lose lines: the slower one finds that the file has changed, and leaves the rest to a later run.

    Parameters
    ----------
    store
        A boto3 client for S3.
    bucket : str
    hour : Hour

    Returns
    -------
    bool
        Whether anything was merged.
    """
    merged_key = f"{hour.prefix(EVENTS)}.jsonl"
    files = list_files(store, bucket, hour.prefix(EVENTS))
    parts = [each.key for each in files if each.key != merged_key]
    if not parts or sum(each.size for each in files) > MAX_MERGED_BYTES:
        return False
    lines: set[bytes] = set()
    condition = {"IfNoneMatch": "*"}
    for file in files:
        answer = store.get_object(Bucket=bucket, Key=file.key)
        # `splitlines` would split at other characters, too.
        lines.update(answer["Body"].read().removesuffix(b"\n").split(b"\n"))
        if file.key == merged_key:
            condition = {"IfMatch": answer["ETag"]}
    try:
        store.put_object(
            Bucket=bucket,
            Key=merged_key,
            Body=join(lines),
            ContentType="application/x-ndjson",
            **condition,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            return False
        raise
    delete_files(store, bucket, parts)
    return True


def join(lines: Iterable[bytes]) -> bytes:
    """Write lines in the order of their timestamps, and of their bytes where those are equal."""
    return b"".join(line + b"\n" for line in sorted(lines, key=lambda line: (_time_of(line), line)))


def _time_of(line: bytes) -> datetime:
    try:
        time: datetime = read_event(line.decode())["timestamp"]
    except ValueError:
        # Somebody else put this line here. Its readers decide about it.
        return datetime.min.replace(tzinfo=UTC)
    return time


def delete_files(store: Any, bucket: str, keys: list[str]) -> None:
    """Delete files.

    Raises
    ------
    OSError
        S3 could not delete one of them.
    """
    for start in range(0, len(keys), _DELETED_AT_ONCE):
        some = [{"Key": key} for key in keys[start : start + _DELETED_AT_ONCE]]
        answer = store.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
        for error in answer.get("Errors", []):
            raise OSError(f"S3 could not delete {error['Key']}: {error['Message']}")
