"""The API's settings, from environment variables that begin with ETIQUETTE_."""

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PREFIX = "ETIQUETTE_"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?|\*")


class SettingsError(Exception):
    """A setting is missing, unknown or wrong: the message is one line that says which."""


class Settings(BaseModel):
    """Every setting, typed; its variable is ETIQUETTE_ and its name in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    """Where the bundle is: a path, or ``s3://bucket/key``."""
    model_sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    """The digest that the bundle must have; needed with ``s3://``."""
    service: str = Field(default="etiquette", pattern="^[A-Za-z0-9_-]{1,64}$")
    """Names the deployment in logs and metrics."""
    cors_origins: tuple[str, ...] = ()
    """Origins of web pages that may call the API, with commas between them."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = [each.strip() for each in value.split(",") if each.strip()]
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is no origin: write a scheme and a host, as in https://example.com"
                )
        return origins

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and check the settings; raises `SettingsError`."""
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError("; ".join(map(_complaint, error.errors()))) from None


def _complaint(error: object) -> str:
    assert isinstance(error, dict)  # noqa: S101 (pydantic's own type is a dict)
    name = f"{PREFIX}{str(error['loc'][0]).upper()}"
    if error["type"] == "extra_forbidden":
        known = ", ".join(f"{PREFIX}{each.upper()}" for each in Settings.model_fields)
        return f"{name} is no setting of this release; it knows {known}"
    if error["type"] == "missing":
        return f"{name} is not set: name a bundle, such as model_build/starter/starter.safetensors"
    return f"{name}: {error['msg']}"
