"""The API's settings, read from environment variables with the prefix ETIQUETTE_."""

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lambda_src.environment_settings import EnvironmentSettings

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?|\*")


class Settings(EnvironmentSettings):
    """All settings."""

    SECRETS: ClassVar = frozenset({"origin_secret", "principal_key"})

    model: str = Field(
        min_length=1,
        description="the location of the bundle: a path such as "
        "model_build/starter/starter.safetensors, or s3://bucket/key",
    )
    model_sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-fA-F]{64}$",
        description="the SHA-256 that the bundle must have, 64 hexadecimal digits; "
        "it is required for a bundle in S3",
    )
    model_signature: str | None = Field(
        default=None,
        min_length=1,
        description="the signature of the bundle's SHA-256, in base64, that "
        "'scripts/sign_model' makes",
    )
    model_signing_key: str | None = Field(
        default=None,
        min_length=1,
        description="the public key by which the bundle must be signed: RSA with 3072 bits, its "
        "DER form in base64; without it, no signature is needed",
    )
    service: str = Field(
        default="etiquette",
        pattern="^[A-Za-z0-9_-]{1,64}$",
        description="the name of this deployment in logs and metrics: "
        "up to 64 letters, digits, hyphens and underscores",
    )
    cors_origins: tuple[str, ...] = Field(
        default=(),
        description="the origins of the web pages that may call the API, separated by commas, "
        "such as https://example.com",
    )
    origin_secret: str | None = Field(
        default=None,
        pattern="^[A-Za-z0-9_-]{20,128}$",
        description="20 to 128 letters, digits, hyphens and underscores, which CloudFront sends "
        "in the header x-origin-secret; requests from elsewhere are refused",
    )
    principal_key: str | None = Field(
        default=None,
        pattern="^[A-Za-z0-9_-]{20,128}$",
        description="20 to 128 letters, digits, hyphens and underscores, the key of the "
        "pseudonyms of identified callers in the events; without it, events have none",
    )
    event_text: bool = Field(
        default=False,
        description="true to write the title and the body of each question into its event, or "
        "false to write none of its text",
    )
    health_report: str | None = Field(
        default=None,
        min_length=1,
        description="the location of the monitor's newest report, reports/latest.json: a path or "
        "s3://bucket/key",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    max_waiting: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="how many requests may wait for their turn on a server, from 1 to 100000; "
        "others are refused with 503. In Lambda, no request waits",
    )
    prometheus: bool = Field(
        default=False,
        description="true to serve metrics for Prometheus at /metrics, which only a server that "
        "runs for a long time can do, or false",
    )
    # `TagModel` reads this variable itself, because training and benchmarks use it, too. It is
    # a setting of the API so that a wrong value stops the start.
    ranker: Literal["auto", "plain", "kernel"] = Field(
        default="auto",
        description="auto to use the compiled kernel if it was built, plain to use only Python, "
        "or kernel to require the compiled kernel",
    )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = [each.strip() for each in value.split(",") if each.strip()]
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin (a scheme and a host)")
        return origins
