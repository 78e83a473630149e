"""The monitor's settings, read from environment variables with the prefix ETIQUETTE_."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

PREFIX: Final = "ETIQUETTE_"


class SettingsError(Exception):
    """A setting is missing, unknown or not valid. The message is one line and says which."""


@dataclass(frozen=True)
class Settings:
    """All settings. The variable of a field is ETIQUETTE_ and the field's name in capitals."""

    events: str
    """The event store: `s3://bucket`, `s3://bucket/prefix` or a folder."""
    service: str
    """The name of the deployment, which is a dimension of every metric."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name):
                raise SettingsError(f"{PREFIX}{each.name.upper()} is empty. Set it.")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.service):
            raise SettingsError(
                f"{PREFIX}SERVICE is {self.service!r}. Set it to up to 64 letters, digits, hyphens "
                "and underscores."
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and validate the settings.

        Parameters
        ----------
        environment : mapping of str to str
            Environment variables; those without the prefix are ignored.

        Raises
        ------
        SettingsError
            A setting is missing, unknown or not valid.
        """
        known = {f"{PREFIX}{each.name.upper()}": each.name for each in fields(cls)}
        given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
        for name in sorted(given.keys() - known.keys()):
            raise SettingsError(
                f"{name} is not a setting of the monitor. Remove it, or correct its name to one of "
                f"{', '.join(known)}."
            )
        for name in sorted(known.keys() - given.keys()):
            raise SettingsError(f"{name} is not set. Set it.")
        return cls(**{known[name]: value for name, value in given.items()})
