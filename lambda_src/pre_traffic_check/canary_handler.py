"""The function that asks questions during the canary. The pre-traffic check starts it.

It decides nothing: the release's alarms judge the new version, and the post-traffic check counts
its requests.
"""

import os
from typing import Any

import boto3

from .canary import ask_during_shift
from .handler import CLIENT


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:
    """Ask until the shift is over, and log the result."""
    tally = ask_during_shift(
        boto3.client("lambda", config=CLIENT),
        os.environ["VERSION_ARN"],
        os.environ["ALIAS"],
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    print(tally)  # noqa: T201 (operators read the log)
    return {"asked": tally.asked, "answered": tally.answered, "failed": len(tally.failures)}
