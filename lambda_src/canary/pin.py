"""What a rollback leaves on the alias `live`, so that no deployment undoes it unasked."""

import re
from dataclasses import dataclass
from typing import Final

_PIN: Final = re.compile(
    r"pinned to (?P<version>\d+) by a rollback from (?P<left>\d+)(?P<confirmed>, confirmed)?"
)


@dataclass(frozen=True)
class Pin:
    """A pin, which is the alias's description: moved and pinned is one step."""

    version: int
    """Where the rollback put `live`."""
    left: int
    """Where CloudFormation had put it."""
    confirmed: bool = False
    """Whether somebody allowed the next deployment to move `live` on."""

    def __str__(self) -> str:
        confirmed = ", confirmed" if self.confirmed else ""
        return f"pinned to {self.version} by a rollback from {self.left}{confirmed}"


def pin_of(description: str, version: int) -> Pin | None:
    """Read the pin of an alias.

    Parameters
    ----------
    description
        The alias's.
    version
        Where the alias points.

    Returns
    -------
    Pin or None
        None too where the alias has left the version that it was pinned to.

    Examples
    --------
    >>> pin_of("pinned to 1 by a rollback from 2", 1)
    Pin(version=1, left=2, confirmed=False)
    >>> pin_of("pinned to 1 by a rollback from 2", 3)
    """
    found = _PIN.fullmatch(description)
    if found is None or int(found["version"]) != version:
        return None
    return Pin(version, int(found["left"]), bool(found["confirmed"]))
