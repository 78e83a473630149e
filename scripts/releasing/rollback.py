"""Back to a version that served before: the one exception to CloudFormation moving `live`."""

import time
from typing import Final

from lambda_src.pre_traffic_check.check import AskError, ask
from lambda_src.pre_traffic_check.pin import Pin
from scripts.emulator.console import say, step
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function, Live, Version

WAKE_SECONDS: Final = 300
"""A snapshot is made anew in a few minutes at most."""
_ASK_AGAIN_SECONDS: Final = 2


def roll_back(function: Function, to: int | None = None) -> None:
    """Move `live` to an earlier version that was seen answering, and pin it there.

    Parameters
    ----------
    function
        Whose alias to move.
    to
        The version; by default the newest that is older than the live one.

    Raises
    ------
    ReleaseError
        If there is no such version, it does not answer, or a deployment is under way.
    """
    live = function.live()
    if live.shifting_to is not None:
        raise ReleaseError(
            f"a deployment is sending requests to version {live.shifting_to}: stop it with "
            f"'aws cloudformation cancel-update-stack --stack-name {function.target.stack}', "
            f"which goes back to version {live.version} by itself"
        )
    version = _choose(function, live, to)
    wake(function, version)
    # Where CloudFormation left it there is nothing to protect from the next deployment.
    left = live.pin.left if live.pin else live.version
    pin = None if version.number == left else Pin(version.number, left)
    function.update_alias(live, version=version.number, pin=pin)
    function.target.start_afresh()
    say(f"live: version {live.version} -> {version.number}, as {pin or 'CloudFormation left it'}")
    if pin:
        say("Deployments stop until somebody confirms: scripts/release --confirm-rollback")


def _choose(function: Function, live: Live, to: int | None) -> Version:
    versions = {each.number: each for each in function.versions()}
    wanted = max((n for n in versions if n < live.version), default=None) if to is None else to
    if wanted is None:
        raise ReleaseError(f"there is no version before {live.version} to go back to")
    if wanted == live.version:
        raise ReleaseError(f"version {wanted} is live already")
    if wanted not in versions:
        raise ReleaseError(
            f"there is no version {wanted}: these are "
            f"{', '.join(map(str, sorted(versions)))} (scripts/releases)"
        )
    return versions[wanted]


def wake(function: Function, version: Version) -> None:
    """Wait until a version is Active and answers with its own model.

    A version with SnapStart that nobody invoked for 14 days is Inactive: its snapshot is gone.
    The next invocation is refused, but makes Lambda take a new one, meanwhile the version is
    Pending.

    Raises
    ------
    ReleaseError
        If it fails, or does not answer in time.

    References
    ----------
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-function-states
    """
    deadline = time.monotonic() + WAKE_SECONDS
    function.target.start_afresh()
    with step(f"Waking version {version.number}"):
        while True:
            state = function.state(version.number)
            if state == "Failed":
                raise ReleaseError(
                    f"version {version.number} is in the state Failed and can't serve: "
                    "choose another with --to (scripts/releases)"
                )
            complaint = f"it is {state}"
            if state in {"Active", "Inactive"}:
                complaint = _what_is_wrong(function, version)
                if not complaint:
                    return
            if time.monotonic() > deadline:
                raise ReleaseError(
                    f"version {version.number} did not answer within {WAKE_SECONDS} s: "
                    f"{complaint}. live was not moved; choose another with --to"
                )
            time.sleep(_ASK_AGAIN_SECONDS)


def _what_is_wrong(function: Function, version: Version) -> str:
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
        return str(error)  # it was Inactive: this invocation has woken it
    if answer.status != 200:
        return f"/health answered {answer.status}"
    if answer.body.get("model_sha256") != version.model_sha256:
        return f"/health answered with the model {answer.body.get('model_sha256')}"
    return ""
