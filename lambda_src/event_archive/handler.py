"""The function that CloudWatch Logs calls with new event lines of the API function."""

import base64
import gzip
import json
import os
from time import time
from typing import Any, Final

import boto3

from .lines import sort_lines

_CONTENT_TYPE: Final = "application/x-ndjson"


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Write a batch of log lines to the event store.

    If a file cannot be written, the exception makes Lambda repeat the whole batch. That is
    harmless: it writes the same files again.
    """
    batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    # CloudWatch Logs also sends control messages, to find out whether the function is there.
    if batch["messageType"] != "DATA_MESSAGE":
        return {}
    found = sort_lines(batch["logEvents"])
    store = boto3.client("s3")
    for key, content in found.files.items():
        store.put_object(
            Bucket=os.environ["EVENT_STORE"], Key=key, Body=content, ContentType=_CONTENT_TYPE
        )
    counts = {"ArchivedPredictions": found.n_predictions, "LinesSetAside": found.n_set_aside}
    print(_metrics(counts))  # noqa: T201 (CloudWatch reads metrics from the log)
    return counts


def _metrics(counts: dict[str, int]) -> str:
    """Write metrics in CloudWatch's embedded metric format (EMF)."""
    directive = {
        "Namespace": os.environ["METRICS_NAMESPACE"],
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    aws = {"Timestamp": int(time() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": aws, "service": os.environ["SERVICE"], **counts})
