"""The pin that a rollback leaves on the alias `live`: it stops deployments from undoing it."""

import re
from dataclasses import dataclass
from typing import Final

_PIN: Final = re.compile(
    r"pinned to (?P<version>\d+) by a rollback from (?P<left>\d+)(?P<confirmed>, confirmed)?"
)


@dataclass(frozen=True)
class Pin:
    """A pin. It is the alias's description, so that one call moves the alias and pins it."""

    version: int
    """The version that the rollback moved `live` to."""
    left: int
    """The version that `live` pointed to before the rollback."""
    confirmed: bool = False
    """Whether an operator allowed the next deployment to move `live`."""

    def __str__(self) -> str:
        confirmed = ", confirmed" if self.confirmed else ""
        return f"pinned to {self.version} by a rollback from {self.left}{confirmed}"


def pin_of(description: str, version: int) -> Pin | None:
    """Read the pin from the description of an alias.

    Parameters
    ----------
    description
        The description of the alias.
    version
        The version that the alias points to.

    Returns
    -------
    Pin or None
        None also if the alias no longer points to the version that it was pinned to.

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
