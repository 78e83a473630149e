"""The scheduled function that merges the small files of the last days."""

import os
from datetime import UTC, datetime
from typing import Any

import boto3

from .merging import merge_hour, settled_hours


def handler(event: object, context: Any) -> dict[str, int]:
    """Merge the files of each hour that has ended."""
    store = boto3.client("s3")
    bucket = os.environ["EVENT_STORE"]
    merged = [merge_hour(store, bucket, hour) for hour in settled_hours(datetime.now(UTC))]
    return {"merged_hours": sum(merged)}
