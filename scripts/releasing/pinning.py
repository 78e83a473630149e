"""What a rollback's pin asks of a deployment: to stop, or to be confirmed."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.emulator.console import say
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function


def refuse_if_pinned(function: Function) -> None:
    """Refuse to go on where a rollback has pinned `live` and nobody has confirmed.

    Raises
    ------
    ReleaseError
        With what to do.
    """
    pin = function.live().pin
    if pin and not pin.confirmed:
        raise ReleaseError(
            f"live is {pin}: a deployment would undo that. Release what is better with "
            f"scripts/release --confirm-rollback, or put version {pin.left} back with "
            f"scripts/rollback --to {pin.left}"
        )


@contextmanager
def confirmed(function: Function) -> Iterator[None]:
    """Let one deployment move `live` on; where it does not, the pin holds again afterwards.

    Raises
    ------
    ReleaseError
        If the deployment succeeded and `live` is still where the rollback has put it.
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
            f"live stays pinned to version {stayed}: the deployment did not move it. "
            "CloudFormation has nothing to change where the release that was rolled back is "
            "released again: scripts/rollback --to VERSION puts it back"
        )


def _confirm(function: Function, *, yes: bool) -> int | None:
    """Write down whether a pin is confirmed; return where it is, or None where there is none."""
    live = function.live()
    if live.pin is None:
        return None
    pin = dataclasses.replace(live.pin, confirmed=yes)
    function.update_alias(live, version=live.version, pin=pin)
    say(f"live is {pin}")
    return live.version
