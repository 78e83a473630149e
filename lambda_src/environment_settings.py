"""Settings of a function, read from environment variables with the prefix ETIQUETTE_."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

PREFIX = "ETIQUETTE_"
OF_SCRIPTS = frozenset(("api_token", "api_url", "cdk_builds", "python", "token"))
"""Variables that scripts read; a function that is started in the same shell ignores them."""


class SettingsError(Exception):
    """A setting is missing, unknown or not valid. The message is one line and says which."""


class EnvironmentSettings(BaseModel):
    """The base of all settings. A field's variable is ETIQUETTE_ and its name in capitals.

    An error message quotes the description of a field after "Set it to". It quotes a value, too,
    unless the field is one of `SECRETS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    SECRETS: ClassVar[frozenset[str]] = frozenset()
    """The fields whose values no message may show."""

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
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX)
        }
        for name in OF_SCRIPTS - cls.model_fields.keys():
            values.pop(name, None)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(" ".join(map(cls._message, error.errors()))) from None

    @classmethod
    def _message(cls, error: Any) -> str:
        field = str(error["loc"][0])
        name = f"{PREFIX}{field.upper()}"
        if error["type"] == "extra_forbidden":
            known = ", ".join(f"{PREFIX}{each.upper()}" for each in cls.model_fields)
            return f"{name} is not a setting. Remove it, or correct its name to one of {known}."
        advice = f"Set it to {cls.model_fields[field].description}."
        if error["type"] == "missing":
            return f"{name} is not set. {advice}"
        reason = error["msg"].removeprefix("Value error, ")
        if field in cls.SECRETS:
            return f"{name} is not valid. {advice}"
        return f"{name} is {error['input']!r}, which is not valid: {reason}. {advice}"
