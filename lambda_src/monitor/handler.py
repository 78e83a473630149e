"""The Lambda function's handler, which a schedule invokes."""

import os
from datetime import UTC, datetime
from typing import Any

import boto3

from lambda_src.monitor.publish import publish
from lambda_src.monitor.quality_fallen import announce, falls
from lambda_src.monitor.release import fetch_release
from lambda_src.monitor.run import run
from lambda_src.monitor.settings import Settings
from lambda_src.monitor.store import open_store

_SETTINGS = Settings.from_environment(os.environ)
_RELEASE = fetch_release(_SETTINGS.model, _SETTINGS.model_sha256)
_SHARE_OF_MEMORY = 0.5
"""DuckDB's part of the function's memory. Python, its libraries and the figures need the rest."""


def handler(event: object, context: Any) -> dict[str, Any]:
    """Bring the store up to date and publish the metrics; the event does not matter."""
    store = open_store(_SETTINGS.events)
    outcome = run(
        store,
        datetime.now(UTC).date(),
        release=_RELEASE,
        memory_mb=int(int(context.memory_limit_in_mb) * _SHARE_OF_MEMORY),
        threads=os.cpu_count() or 1,
        share=_SETTINGS.principal_share,
    )
    publish(outcome, _SETTINGS.service)
    for fall in falls(outcome, _SETTINGS.min_audit_jaccard):
        announce(boto3.client("events"), store, fall, _SETTINGS.service)
    return {"day": str(outcome.today), "model_version": outcome.live_version}
