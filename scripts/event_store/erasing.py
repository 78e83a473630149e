"""Erases predictions, with the feedback about them, from the event store."""

import hashlib
import re
from collections import Counter
from typing import Any, Final

from botocore.exceptions import ClientError

from lambda_src.event_archive.lines import EVENTS, SET_ASIDE
from lambda_src.event_archive.merging import list_files

ERASED: Final = "erased"
"""The folder with one empty file per erased prediction. A replay leaves these predictions out.

The name of a file is the SHA-256 of the identifier, so that the identifier itself is gone, too."""
DAYS: Final = "days"
"""The folder with the figures of each day, which the monitor makes again from the events."""
COMPACT: Final = "compact/events"
"""The folder with the monitor's copy of each day, which it makes again from the events."""
_ATTEMPTS: Final = 5
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def erased_predictions(store: Any, bucket: str) -> set[str]:
    """Return the digests of the identifiers of the predictions that were erased.

    Parameters
    ----------
    store
        A boto3 client for S3.
    bucket : str
    """
    return {file.key.removeprefix(f"{ERASED}/") for file in list_files(store, bucket, f"{ERASED}/")}


def is_erased(line: str, erased: set[str]) -> bool:
    """Return whether a line contains the identifier of an erased prediction.

    Parameters
    ----------
    line : str
        A line of the log.
    erased : set of str
        From `erased_predictions`.
    """
    return any(_digest(found) in erased for found in _IDENTIFIER.findall(line))


def _digest(prediction_id: str) -> str:
    return hashlib.sha256(prediction_id.encode()).hexdigest()


def streams_with(logs: Any, log_group: str, prediction_id: str) -> Counter[str]:
    """Return how many lines about a prediction each stream of a log still holds.

    Parameters
    ----------
    logs
        A boto3 client for CloudWatch Logs, which cannot delete single lines.
    log_group : str
    prediction_id : str
    """
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group, filterPattern=f'"{prediction_id}"'
    )
    return Counter(each["logStreamName"] for page in pages for each in page["events"])


def erase(store: Any, bucket: str, prediction_id: str) -> int:
    """Remove every line with a prediction's identifier from the event store.

    It also removes what was made from these lines: the monitor's copy and the figures of their
    days. The next run of the monitor makes both again, without the prediction.

    Parameters
    ----------
    store
        A boto3 client for S3.
    bucket : str
    prediction_id : str

    Returns
    -------
    int
        How many lines were removed.
    """
    store.put_object(Bucket=bucket, Key=f"{ERASED}/{_digest(prediction_id)}", Body=b"")
    # The hourly merge may move lines meanwhile, so look until there are none.
    removed = 0
    while found := _erase_once(store, bucket, prediction_id):
        removed += found
    return removed


def _erase_once(store: Any, bucket: str, prediction_id: str) -> int:
    removed = 0
    for folder in (EVENTS, SET_ASIDE):
        for file in list_files(store, bucket, f"{folder}/"):
            found = _erase_from(store, bucket, file.key, prediction_id.encode())
            if found and folder == EVENTS:
                day = file.key.split("/")[1].removeprefix("date=")
                for made in (f"{COMPACT}/{day}.parquet", f"{DAYS}/{day}.json"):
                    store.delete_object(Bucket=bucket, Key=made)
            removed += found
    return removed


def _erase_from(store: Any, bucket: str, key: str, prediction_id: bytes) -> int:
    for _ in range(_ATTEMPTS):
        try:
            answer = store.get_object(Bucket=bucket, Key=key)
        except store.exceptions.NoSuchKey:
            return 0
        lines = answer["Body"].read().removesuffix(b"\n").split(b"\n")
        kept = [line for line in lines if prediction_id not in line]
        if len(kept) == len(lines):
            return 0
        try:
            if kept:
                content = b"".join(line + b"\n" for line in kept)
                store.put_object(Bucket=bucket, Key=key, Body=content, IfMatch=answer["ETag"],
                                 ContentType="application/x-ndjson")  # fmt: skip
            else:
                store.delete_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
        else:
            return len(lines) - len(kept)
    raise OSError(f"{key} changes all the time. Run the command again in an hour.")
