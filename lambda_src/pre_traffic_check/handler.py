"""The function that CodeDeploy calls before the first request goes to a new version.

It needs only the standard library and the boto3 of Lambda's runtime. Its zip file holds this folder
alone, so the modules import each other relatively.
"""

import os
import time
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .check import find_problem
from .pin import pin_of

CLIENT: Final = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1})
"""With these limits, the check ends within its own time limit even if no question is answered.
Otherwise, CodeDeploy would wait an hour for the result."""

_ACTIVE_WITHIN_SECONDS: Final = 240
"""Taking a snapshot takes minutes, and AWS does not document that CloudFormation waits for it."""


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:
    """Check the new version and report the result to CodeDeploy."""
    functions = boto3.client("lambda", config=CLIENT)
    problem = check_version(functions) or _start_canary_questions(functions)
    status = "Failed" if problem else "Succeeded"
    print(status if problem is None else f"{status}: {problem}")  # noqa: T201 (operators read the log)
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status, "problem": problem}


def check_version(functions: Any) -> str | None:
    """Check the version in `VERSION_ARN` and the alias in `ALIAS`, two environment variables.

    Parameters
    ----------
    functions
        A boto3 client for Lambda.

    Returns
    -------
    str or None
        Why the version must not get traffic. None if it may.
    """
    version = os.environ["VERSION_ARN"]
    try:
        alias = functions.get_alias(
            FunctionName=version.rpartition(":")[0], Name=os.environ["ALIAS"]
        )
        pin = pin_of(alias.get("Description", ""), int(alias["FunctionVersion"]))
        if pin and not pin.confirmed:
            return (
                f"the alias is {pin}; to deploy all the same, run scripts/release "
                "--confirm-rollback"
            )
        _wait_until_active(functions, version)
        return find_problem(functions, version)
    except Exception as error:  # CodeDeploy must get a result, whatever happened
        return f"the pre-traffic check itself failed: {error!r}"


def _start_canary_questions(functions: Any) -> str | None:
    """Start the function that asks questions as long as the canary lasts.

    It is started before the check reports its success, so that a canary without questions does not
    begin. It waits for the shift by itself.
    """
    try:
        functions.invoke(FunctionName=os.environ["CANARY_QUESTIONS"], InvocationType="Event")
    except (BotoCoreError, ClientError) as error:
        return f"the questions during the canary could not be started: {error!r}"
    return None


def _wait_until_active(functions: Any, version: str) -> None:
    """Wait for the snapshot of the version, and for the permission to invoke this version.

    The same deployment grants that permission, which takes some seconds to become effective.
    """
    deadline = time.monotonic() + _ACTIVE_WITHIN_SECONDS
    while True:
        try:
            state = functions.get_function_configuration(FunctionName=version)["State"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise
            state = "not accessible to this check yet"
        if state == "Active":
            return
        if state == "Failed" or time.monotonic() > deadline:
            raise TimeoutError(f"the version is {state} instead of Active")
        time.sleep(2)
