"""The monitor's settings, read from environment variables with the prefix ETIQUETTE_."""

from pydantic import Field

from lambda_src.environment_settings import EnvironmentSettings
from lambda_src.monitor.shares import MAX_SHARE


class Settings(EnvironmentSettings):
    """All settings."""

    events: str = Field(
        min_length=1,
        description="the location of the event store: s3://bucket, s3://bucket/prefix or a folder",
    )
    service: str = Field(
        pattern="^[A-Za-z0-9_-]{1,64}$",
        description="the name of the deployment, which is a dimension of every metric: up to 64 "
        "letters, digits, hyphens and underscores",
    )
    model: str = Field(
        min_length=1,
        description="the location of the release's bundle: s3://bucket/key or a path",
    )
    model_sha256: str = Field(
        pattern="^[0-9a-fA-F]{64}$",
        description="the SHA-256 that the bundle must have, 64 hexadecimal digits",
    )
    min_audit_jaccard: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="a number from 0 to less than 1: the quality has fallen if the mean Jaccard "
        "index of a week's audit is lower",
    )
    principal_share: float = Field(
        default=MAX_SHARE,
        gt=0,
        le=1,
        description="a number above 0, and at most 1: the largest share of a day's feedback that "
        "counts for one principal; 1 means no limit",
    )
