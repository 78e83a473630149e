"""Erases predictions, with the feedback about them, from the event store."""

from typing import Any, Final

from botocore.exceptions import ClientError

from lambda_src.event_archive.lines import EVENTS, SET_ASIDE
from lambda_src.event_archive.merging import list_files

ERASED: Final = "erased"
"""The folder with one empty file per erased prediction. A replay leaves these predictions out."""
COMPACT: Final = "compact/events"
"""The folder with the monitor's copy of each day, which it makes again from the events."""
_ATTEMPTS: Final = 5


def erased_predictions(store: Any, bucket: str) -> set[str]:
    """Return the identifiers of the predictions that were erased.

    Parameters
    ----------
    store
        A boto3 client for S3.
    bucket : str
    """
    return {file.key.removeprefix(f"{ERASED}/") for file in list_files(store, bucket, f"{ERASED}/")}


def erase(store: Any, bucket: str, prediction_id: str) -> int:
    """Remove every line with a prediction's identifier from the event store.

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
    store.put_object(Bucket=bucket, Key=f"{ERASED}/{prediction_id}", Body=b"")
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
                store.delete_object(Bucket=bucket, Key=f"{COMPACT}/{day}.parquet")
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
