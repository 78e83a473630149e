"""Return to an earlier version: the only case where `live` moves without CloudFormation."""

import time
from typing import Final

from lambda_src.pre_traffic_check.check import AskError, ask
from lambda_src.pre_traffic_check.pin import Pin
from scripts.releasing.account import Account
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function, Live, Version
from scripts.releasing.question import agree
from scripts.shared.terminal import say, step

WAKE_SECONDS: Final = 300
"""Lambda creates a new snapshot within a few minutes."""
_ASK_AGAIN_SECONDS: Final = 2


def roll_back(function: Function, to: int | None = None, *, yes: bool) -> None:
    """Check that an earlier version answers, move `live` to it, and pin it there.

    Parameters
    ----------
    function
        The function whose alias is moved.
    to
        The version number; by default the newest version that is older than the live one.
    yes
        Do not ask.

    Raises
    ------
    ReleaseError
        If the account is another one, the version does not exist or does not answer, a deployment
        is in progress, or the user does not agree.
    """
    target = function.target
    account = Account.expected(target)
    _refuse_in_progress(function)
    live = function.live()
    if live.shifting_to is not None:
        raise ReleaseError(
            f"A deployment is shifting requests to version {live.shifting_to}. Stop it with "
            f"'aws cloudformation cancel-update-stack --stack-name {function.target.stack}', "
            f"which returns to version {live.version}."
        )
    version = _choose(function, live, to)
    say(f"Rollback in {account}, stack {target.stack}")
    agree(
        f"Move live from version {live.version} to {version.number}?",
        yes=yes,
        otherwise="live was not moved.",
    )
    wake(function, version)
    # The version that CloudFormation set itself needs no pin: the next deployment starts from it.
    left = live.pin.left if live.pin else live.version
    pin = None if version.number == left else Pin(version.number, left)
    function.update_alias(live, version=version.number, pin=pin)
    function.target.forget_warm_containers()
    say(f"live: version {live.version} -> {version.number}, {pin or 'as CloudFormation set it'}")
    if pin:
        say("Deployments now need a confirmation: scripts/release --confirm-rollback")


def _refuse_in_progress(function: Function) -> None:
    """Raise an error while CloudFormation changes the stack: it, or CodeDeploy, may move `live`.

    References
    ----------
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    """
    stack = function.target.describe()
    status = stack["StackStatus"] if stack else ""
    if not status.endswith("_IN_PROGRESS"):
        return
    name = function.target.stack
    advice = (
        f"Stop it with 'aws cloudformation cancel-update-stack --stack-name {name}', which returns "
        "to the version before"
        if status == "UPDATE_IN_PROGRESS"
        else f"Wait until it has ended: aws cloudformation describe-stacks --stack-name {name}"
    )
    raise ReleaseError(f"A deployment is in progress: {name} is in the state {status}. {advice}.")


def _choose(function: Function, live: Live, to: int | None) -> Version:
    versions = {each.number: each for each in function.versions()}
    wanted = max((n for n in versions if n < live.version), default=None) if to is None else to
    if wanted is None:
        raise ReleaseError(f"There is no version before version {live.version}.")
    if wanted == live.version:
        raise ReleaseError(f"Version {wanted} is already live.")
    if wanted not in versions:
        raise ReleaseError(
            f"There is no version {wanted}. The published versions are "
            f"{', '.join(map(str, sorted(versions)))} (see scripts/releases)."
        )
    return versions[wanted]


def wake(function: Function, version: Version) -> None:
    """Wait until a version is Active and answers with its own model.

    A version with SnapStart becomes Inactive and loses its snapshot after 14 days without an
    invocation. Lambda refuses the next invocation but creates a new snapshot; until it exists, the
    version is Pending.

    Raises
    ------
    ReleaseError
        If the version is in the state Failed, or does not answer in time.

    References
    ----------
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-function-states
    """
    deadline = time.monotonic() + WAKE_SECONDS
    function.target.forget_warm_containers()
    with step(f"Waking version {version.number}"):
        while True:
            state = function.state(version.number)
            if state == "Failed":
                raise ReleaseError(
                    f"Version {version.number} is in the state Failed. Choose another version with "
                    "--to (see scripts/releases)."
                )
            problem = f"it is {state}"
            if state in {"Active", "Inactive"}:
                problem = _problem(function, version)
                if not problem:
                    return
            if time.monotonic() > deadline:
                raise ReleaseError(
                    f"Version {version.number} did not answer within {WAKE_SECONDS} s: {problem}. "
                    "live was not moved. Choose another version with --to."
                )
            time.sleep(_ASK_AGAIN_SECONDS)


def _problem(function: Function, version: Version) -> str:
    client = function.client
    try:
        answer = ask(client, function.qualified(version.number), "/health")
    except AskError as error:
        return str(error)
    except (
        client.exceptions.SnapStartNotReadyException,
        client.exceptions.ResourceNotReadyException,
        client.exceptions.ResourceConflictException,  # it is Pending
    ) as error:
        return str(error)  # it was Inactive; this invocation makes Lambda activate it
    if answer.status != 200:
        return f"/health returned status {answer.status}"
    if answer.body.get("model_sha256") != version.model_sha256:
        return f"/health reported the model {answer.body.get('model_sha256')}"
    return ""
