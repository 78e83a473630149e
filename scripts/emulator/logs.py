"""The function's log lines, from the emulator's CloudWatch Logs."""

from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment


def function_lines(deployment: Deployment) -> list[str]:
    """Return the lines of the function's log group, oldest first."""
    logs = client(deployment.aws, "logs")
    group = deployment.outputs["ApiFunctionLogGroup"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"].rstrip("\n") for page in pages for event in page["events"]]
