"""The monitor's settings, read from environment variables with the prefix ETIQUETTE_."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Self

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
    model: str
    """The location of the release's bundle: `s3://bucket/key` or a path."""
    model_sha256: str
    """The SHA-256 that the bundle must have."""
    min_audit_jaccard: float = 0.0
    """The quality has fallen if the mean Jaccard index of a week's audit is lower."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_audit_jaccard < 1:
            raise SettingsError(
                f"{PREFIX}MIN_AUDIT_JACCARD is {self.min_audit_jaccard}. Set it to 0 or more, and "
                "less than 1."
            )
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
        values: dict[str, Any] = {known[name]: value for name, value in given.items()}
        for each in fields(cls):
            if not values.get(each.name) and each.default is MISSING:
                raise SettingsError(f"{PREFIX}{each.name.upper()} is not set. Set it.")
        try:
            values["min_audit_jaccard"] = float(values.get("min_audit_jaccard", 0.0))
        except ValueError:
            raise SettingsError(
                f"{PREFIX}MIN_AUDIT_JACCARD is {values['min_audit_jaccard']!r}, which is not a "
                "number. Set it to 0 or more, and less than 1."
            ) from None
        return cls(**values)
