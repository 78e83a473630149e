"""What the function wrote, read from the emulator's CloudWatch Logs."""

import json

from scripts.emulator.console import LocalAwsError
from scripts.emulator.deployment import Deployment
from scripts.emulator.fetch import fetch


def function_lines(deployment: Deployment) -> list[str]:
    """Return the lines of the function's log group, oldest first."""
    lines: list[str] = []
    token: str | None = None
    while True:
        request = {"logGroupName": deployment.outputs["FunctionLogGroup"]}
        if token:
            request["nextToken"] = token
        answer = fetch(
            deployment.aws.endpoint,
            body=json.dumps(request).encode(),
            headers={
                "X-Amz-Target": "Logs_20140328.FilterLogEvents",
                "Content-Type": "application/x-amz-json-1.1",
            },
        )
        if answer.status != 200:
            raise LocalAwsError(f"the emulator's logs answered {answer.status}: {answer.body!r}")
        page = json.loads(answer.body)
        lines += [event["message"].rstrip("\n") for event in page["events"]]
        token = page.get("nextToken")
        if not token:
            return lines
