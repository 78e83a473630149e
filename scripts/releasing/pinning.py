"""The pin of a rollback: a deployment stops at it, unless the user confirms."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.shared.terminal import say


def refuse_if_pinned(function: Function) -> None:
    """Raise an error if a rollback has pinned `live` and nobody has confirmed a deployment.

    Raises
    ------
    ReleaseError
        If `live` is pinned.
    """
    pin = function.live().pin
    if pin and not pin.confirmed:
        raise ReleaseError(
            f"live is {pin}. A deployment would undo the rollback. Release a better model with "
            "scripts/release --confirm-rollback, or return to version "
            f"{pin.left} with scripts/rollback --to {pin.left}."
        )


@contextmanager
def confirmed(function: Function) -> Iterator[None]:
    """Allow one deployment to move `live`. If it does not, the pin is effective again.

    Raises
    ------
    ReleaseError
        If the deployment succeeded but `live` is still where the rollback moved it.
    """
    _confirm(function, yes=True)
    try:
        yield
    except BaseException:
        _confirm(function, yes=False)
        raise
    stayed = _confirm(function, yes=False)
    if stayed is not None:
        raise ReleaseError(
            f"live is still pinned to version {stayed}, because the deployment did not move it. "
            "CloudFormation has nothing to change if you release again the model that was rolled "
            "back. To return to it, run scripts/rollback --to VERSION."
        )


def _confirm(function: Function, *, yes: bool) -> int | None:
    """Record whether the pin is confirmed; return the pinned version, or None without a pin."""
    live = function.live()
    if live.pin is None:
        return None
    pin = dataclasses.replace(live.pin, confirmed=yes)
    function.update_alias(live, version=live.version, pin=pin)
    say(f"live is {pin}")
    return live.version
