"""The function that CodeDeploy calls after the last request has moved to the new version.

It counts the requests that the version answered during the canary and fails the deployment if there
were none: no alarm can judge a version that nobody asked.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3

_LONGEST_CANARY: Final = timedelta(hours=1)
_WAIT_SECONDS: Final = 360
"""CloudWatch's metrics may arrive some minutes late."""
_BETWEEN_LOOKS_SECONDS: Final = 20


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:
    """Count the canary's requests and report the result to CodeDeploy."""
    try:
        requests = requests_during_canary(boto3.client("cloudwatch"), datetime.now(UTC))
        status = "Succeeded" if requests else "Failed"
        found = f"the new version got {requests} requests during the canary"
    except Exception as error:  # CodeDeploy must get a result, whatever happened
        status, requests = "Failed", 0
        found = f"the post-traffic check itself failed: {error!r}"
    print(f"{status}: {found}")  # noqa: T201 (operators read the log)
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status, "requests": requests}


def requests_during_canary(metrics: Any, now: datetime) -> int:
    """Return how many requests the version in `VERSION_ARN` got through the alias.

    Parameters
    ----------
    metrics
        A boto3 client for CloudWatch.
    now
        When this check began. The minute before it is left out: in it, all requests moved to the
        version. The version got its first request through the alias in this canary, so the
        beginning needs no exact time.
    """
    end = now.replace(second=0, microsecond=0) - timedelta(minutes=1)
    function, _, version = os.environ["VERSION_ARN"].rpartition(":")
    name = function.rpartition(":")[2]
    dimensions = {
        "FunctionName": name,
        "Resource": f"{name}:{os.environ['ALIAS']}",
        "ExecutedVersion": version,
    }
    deadline = time.monotonic() + _WAIT_SECONDS
    before = -1
    while True:
        found = metrics.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=end - _LONGEST_CANARY,
            EndTime=end,
            Period=60,
            Statistics=["Sum"],
        )
        count: int = round(sum(each["Sum"] for each in found["Datapoints"]))
        # The newest minutes arrive last: wait until the number does not change any more.
        if count == before > 0 or time.monotonic() > deadline:
            return count
        before = count
        time.sleep(_BETWEEN_LOOKS_SECONDS)
