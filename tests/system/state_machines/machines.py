"""What the tests ask about the runs of state machines."""

import time
from typing import Any

from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment

PATIENCE = 400
"""Seconds for one run: the container starts, trains on a thousand questions, and judges."""


def executions(deployed: Deployment, output: str = "RetrainingMachine") -> list[dict[str, Any]]:
    """All runs of a state machine, the newest last."""
    machine = deployed.outputs[output]
    found = client(deployed.aws, "stepfunctions").list_executions(stateMachineArn=machine)
    return sorted(found["executions"], key=lambda each: str(each["startDate"]))


def next_run(
    deployed: Deployment, n_before: int, output: str = "RetrainingMachine"
) -> dict[str, Any]:
    """Wait until the run after some others has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = executions(deployed, output)
        if len(runs) > n_before and runs[-1]["status"] != "RUNNING":
            return runs[-1]
        time.sleep(1)
    raise AssertionError(f"the run did not end: {executions(deployed, output)}")


def both_runs(deployed: Deployment, output: str) -> list[dict[str, Any]]:
    """Wait until two runs have ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = executions(deployed, output)
        if len(runs) == 2 and all(run["status"] != "RUNNING" for run in runs):
            return runs
        time.sleep(1)
    raise AssertionError(f"the runs did not end: {executions(deployed, output)}")


def job_log(deployed: Deployment) -> str:
    """What the jobs printed, to explain a run that failed."""
    engine = deployed.aws.engine
    jobs = engine.containers("com.amazonaws.ecs.container-name=job")
    return "\n".join(engine.call("logs", each, with_errors=True)[-3000:] for each in jobs)


def keys(deployed: Deployment, prefix: str, output: str = "RetrainingBucket") -> list[str]:
    """The keys in a bucket that begin with a prefix."""
    bucket = deployed.outputs[output]
    found = client(deployed.aws, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def states(deployed: Deployment, run: dict[str, Any]) -> list[str]:
    """The states that a run entered."""
    history = client(deployed.aws, "stepfunctions").get_execution_history(
        executionArn=run["executionArn"]
    )
    details = [each.get("stateEnteredEventDetails") for each in history["events"]]
    return [each["name"] for each in details if each]


def why_failed(deployed: Deployment, run: dict[str, Any]) -> str:
    """The states of a run, its error, and what its job printed."""
    found = client(deployed.aws, "stepfunctions").describe_execution(
        executionArn=run["executionArn"]
    )
    error = f"{found.get('error')}: {found.get('cause')}"
    return f"{job_log(deployed)}\n{states(deployed, run)}\n{error}"
