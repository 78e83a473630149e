"""The hook that CodeDeploy calls before the first request goes to a new version.

Standard library and the runtime's own boto3. The zip holds this folder and not what is around it,
so its modules name each other relatively.
"""

import os
import time
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .examination import examine
from .pin import pin_of

_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1})
"""Ten questions that all hang still end within this function's time: CodeDeploy, which would wait
an hour for an answer, gets one."""

_READY_SECONDS: Final = 240
"""A snapshot takes minutes, and CloudFormation does not say that it waits for one."""


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:
    """Examine the version under test and tell CodeDeploy if it may serve."""
    complaint = verdict(boto3.client("lambda", config=_PATIENCE))
    status = "Failed" if complaint else "Succeeded"
    print(status if complaint is None else f"{status}: {complaint}")  # noqa: T201 (the log is where an operator looks)
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status, "complaint": complaint}


def verdict(functions: Any) -> str | None:
    """Say what speaks against the version of `VERSION_ARN` behind the alias of `ALIAS`.

    Parameters
    ----------
    functions
        boto3's client of Lambda.

    Returns
    -------
    str or None
        None if it may serve.
    """
    version = os.environ["VERSION_ARN"]
    try:
        alias = functions.get_alias(
            FunctionName=version.rpartition(":")[0], Name=os.environ["ALIAS"]
        )
        pin = pin_of(alias.get("Description", ""), int(alias["FunctionVersion"]))
        if pin and not pin.confirmed:
            return f"live is {pin}: confirm with scripts/release --confirm-rollback"
        _wait_until_active(functions, version)
        return examine(functions, version)
    except Exception as error:  # whatever happened, CodeDeploy must not wait for its answer
        return f"the examination failed: {error!r}"


def _wait_until_active(functions: Any, version: str) -> None:
    """Wait for the version's snapshot, and for the permission to ask this very version.

    That is written in the same deployment, and takes seconds to be valid everywhere.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            state = functions.get_function_configuration(FunctionName=version)["State"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            state = "not yet permitted to this check"
        if state == "Active":
            return
        if state == "Failed" or time.monotonic() > deadline:
            raise TimeoutError(f"the version is {state}")
        time.sleep(2)
