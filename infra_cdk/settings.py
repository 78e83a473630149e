"""What may differ between deployments: one typed object, read from the CDK context."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from aws_cdk import aws_logs as logs
from constructs import Node

ROOT: Final = Path(__file__).resolve().parent.parent
STARTER_MODEL: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
ARCHITECTURES: Final = ("arm64", "x86_64")
FROM_CONTEXT: Final = ("model", "architecture", "alarm_email", "service")
"""What a person may give with `-c NAME=VALUE`; the rest is changed here, in review."""


class SettingsError(ValueError):
    """A setting of the deployment is wrong: the message says which and what to give instead."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices of one deployment.

    Examples
    --------
    >>> Settings(architecture="x86_64").architecture
    'x86_64'
    """

    model: Path = STARTER_MODEL
    """The bundle to serve: `-c model=PATH`, relative to the folder of cdk.json."""
    architecture: str = "arm64"
    """A second on arm64 costs a fifth less: `-c architecture=x86_64` only where it must be."""
    alarm_email: str | None = None
    """Who hears of alarms: `-c alarm_email=ADDRESS`. Without it, subscribe to the topic by hand."""
    service: str = "etiquette"
    """Value of the `service` dimension: the metrics of two deployments never mix."""

    memory_mb: int = 1024
    timeout_seconds: int = 15
    """Well below the 30 s after which API Gateway answers by itself."""
    throttle_rate: int = 50
    """Requests per second that the API admits in the long run."""
    throttle_burst: int = 100
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    minimum_prediction_rate: float = 0.4
    """Alarm when fewer of the predictions than this carry at least one tag."""
    maximum_latency_p99_ms: int = 2000
    """Alarm when one request in a hundred takes longer than this, cold starts included."""

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise SettingsError(
                f"architecture is {self.architecture!r}: give one of {', '.join(ARCHITECTURES)}"
            )
        if not self.model.is_file():
            raise SettingsError(
                f"there is no model at {self.model}: give a bundle with -c model=PATH"
            )
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", self.service):
            raise SettingsError(
                f"service is {self.service!r}: give up to 31 lower-case letters, digits and hyphens"
            )
        if self.alarm_email is not None and "@" not in self.alarm_email:
            raise SettingsError(f"alarm_email is {self.alarm_email!r}: give a mail address")

    @classmethod
    def from_context(cls, node: Node) -> Self:
        """Read what was given with `-c NAME=VALUE` and take the defaults for the rest.

        Parameters
        ----------
        node
            A construct's node: the CDK command line hands the context to it.

        Raises
        ------
        SettingsError
            If a value is not one that this setting may have.
        """
        given = {name: node.try_get_context(name) for name in FROM_CONTEXT}
        values = {name: value for name, value in given.items() if value is not None}
        if "model" in values:
            values["model"] = (ROOT / values["model"]).resolve()
        return cls(**values)
