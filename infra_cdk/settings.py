"""Every choice of a deployment: one typed object per environment, checked before synthesis."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from infra_cdk.limits import Limits

ROOT: Final = Path(__file__).resolve().parent.parent
STARTER_MODEL: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
ARCHITECTURES: Final = ("arm64", "x86_64")
ROLLOUTS: Final = ("canary_5_minutes", "canary_15_minutes", "all_at_once")
AUTHS: Final = ("none", "iam", "jwt")
_MAX_TIMEOUT_SECONDS: Final = 19
"""An HTTP API gives up after 30 s, and Lambda counts a start of up to 10 s apart."""


class SettingsError(ValueError):
    """A setting of the deployment is wrong: the message says which and what to give instead."""


@dataclass(frozen=True)
class Throttle:
    """What API Gateway admits before it answers 429."""

    rate: int
    """Requests per second in the long run."""
    burst: int
    """Requests at once."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices of one deployment; the values here are those of `dev`.

    Examples
    --------
    >>> Settings(environment="dev", architecture="x86_64").stack_name
    'etiquette-dev'
    """

    environment: str
    """`dev`, `prod`, or `emulator`: chosen by `-c environment=NAME`."""
    service: str = "etiquette"
    """What is deployed. Another name is another deployment, beside the first in one account."""
    model: Path = STARTER_MODEL
    """The bundle to serve: `-c model=PATH`, relative to the folder of cdk.json."""
    report: Path | None = None
    """What `python -m model_build evaluate --json` wrote of it: its figures go with the release."""

    # The function
    architecture: str = "arm64"
    """A second on arm64 costs a fifth less: `x86_64` only where it must be."""
    memory_mb: int = 1024
    """The least with which a start without a snapshot stays below a second (docs/serving.md).

    Half of it starts in 1.6 s; 1769, a whole core, gains 0.3 s. It needs a tenth of it as memory,
    and a second costs in proportion, while what it computes takes as much less: nothing is saved.
    """
    timeout_seconds: int = 15
    """With the 10 s that a start may take before it, below API Gateway's 30 s."""
    reserved_concurrency: int | None = None
    """At most so many copies at once, and so many kept for this function; 0 switches it off.

    Unset by default: a new account has ten for all of its functions, and must keep ten unreserved.
    """
    account_concurrency: int = 10
    """Copies that all functions of the account may run at once (Lambda's service quota). New
    accounts have 10, others 1000 and more: it says how near the function is to being throttled."""

    rollout: str = "canary_5_minutes"
    """A tenth of the requests goes to a new version for so long, then all. `all_at_once` is for a
    fix that can't wait: the version is still asked ten questions first, but no alarm is heard."""

    # Who may call, and how often
    auth: str = "none"
    """`none`: everybody; `iam`: signed by a principal of the account; `jwt`: a bearer token."""
    jwt_issuer: str | None = None
    """The tokens' `iss`, whose OpenID configuration API Gateway reads: `https://...`."""
    jwt_audiences: tuple[str, ...] = ()
    """A token is for one of these: its `aud`, or `client_id` where it has no `aud`."""
    open_pages: bool = False
    """With `iam` or `jwt`, keep the web page and `/docs` open to everybody all the same.

    What the page asks still wants a token: for where something in front of it adds one.
    """
    cors_origins: tuple[str, ...] = ()
    """Web pages elsewhere that may call the API: `https://example.org,https://...`.

    The function answers them. What API Gateway itself refuses (401, 429) looks to a browser like
    a network that failed.
    """
    throttle: Throttle = Throttle(rate=50, burst=100)
    """Of every route that has none of its own. Each route counts for itself."""
    batch_throttle: Throttle = Throttle(rate=2, burst=5)
    """Of `/predict/batch`: one request is up to a hundred questions."""
    feedback_throttle: Throttle = Throttle(rate=20, burst=40)
    """Of `/feedback`, which writes what models are judged by and costs its sender nothing."""
    domain_name: str | None = None
    """A name of your own for the API, in the certificate of `certificate_arn`."""
    certificate_arn: str | None = None
    """An issued ACM certificate for it, in the stack's region."""
    hosted_zone_id: str | None = None
    """The Route 53 zone to write the name into; without it, point the name there by hand."""

    # What is kept, watched and paid
    alarm_email: str | None = None
    """Who hears of alarms and of the budget. AWS asks the address to confirm."""
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    protected: bool = False
    """Refuse to delete the stack, and keep what it holds of value when it is deleted after all."""
    monthly_budget_usd: int = 20
    """Mail to `alarm_email` when the account's month has cost four fifths of this, or will cost
    more. It counts the whole account: give more where other things run beside this."""
    limits: Limits = field(default_factory=Limits)
    """Beyond which an alarm is raised."""

    def __post_init__(self) -> None:
        self._check_identity()
        self._check_function()
        self._check_front()

    @property
    def stack_name(self) -> str:
        """Names the stack and, as the `service` dimension, its metrics: `etiquette-dev`."""
        return f"{self.service}-{self.environment}"

    @property
    def emulated(self) -> bool:
        """Whether CloudFormation is the emulator's, which lacks some kinds of resources."""
        return self.environment == "emulator"

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of logs and other things of value when the stack is deleted."""
        return RemovalPolicy.RETAIN if self.protected else RemovalPolicy.DESTROY

    def _check_identity(self) -> None:
        # CloudFormation shortens names of roles beyond 64 characters; the permissions of
        # deployments from GitHub know them by their beginning (delivery.py).
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,16}", self.service):
            raise SettingsError(
                f"service is {self.service!r}: give up to 17 lower-case letters, digits and "
                "hyphens, a letter first"
            )
        if not self.model.is_file():
            raise SettingsError(
                f"there is no model at {self.model}: give a bundle with -c model=PATH"
            )
        if self.alarm_email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.alarm_email):
            raise SettingsError(f"alarm_email is {self.alarm_email!r}: give a mail address")
        if self.environment == "prod" and self.alarm_email is None:
            raise SettingsError(
                "prod needs somebody who hears of alarms: give -c alarm_email=ADDRESS"
            )
        if self.monthly_budget_usd < 1:
            raise SettingsError(
                f"monthly_budget_usd is {self.monthly_budget_usd}: give whole dollars, at least 1"
            )

    def _check_function(self) -> None:
        check_one_of("architecture", self.architecture, ARCHITECTURES)
        check_one_of("rollout", self.rollout, ROLLOUTS)
        if not 128 <= self.memory_mb <= 10240:
            raise SettingsError(f"memory_mb is {self.memory_mb}: Lambda has 128 to 10240")
        if not 1 <= self.timeout_seconds <= _MAX_TIMEOUT_SECONDS:
            raise SettingsError(
                f"timeout_seconds is {self.timeout_seconds}: give 1 to {_MAX_TIMEOUT_SECONDS}; "
                "with a start before it, API Gateway answers by itself after 30 s"
            )
        if self.reserved_concurrency is not None and self.reserved_concurrency < 0:
            raise SettingsError(
                f"reserved_concurrency is {self.reserved_concurrency}: give a number of copies, "
                "0 to switch the function off, or nothing"
            )
        if self.account_concurrency < 1:
            raise SettingsError(
                f"account_concurrency is {self.account_concurrency}: give the account's quota of "
                "concurrent executions, at least 1"
            )

    def _check_front(self) -> None:
        check_one_of("auth", self.auth, AUTHS)
        if len({self.auth == "jwt", bool(self.jwt_issuer), bool(self.jwt_audiences)}) != 1:
            raise SettingsError(
                "auth=jwt goes with jwt_issuer and jwt_audiences, and they with it: give all or "
                "none of the three"
            )
        # The emulator's tests have an issuer of their own on this machine.
        schemes = "https?" if self.emulated else "https"
        if self.jwt_issuer and not re.fullmatch(rf"{schemes}://[^\s?#]+", self.jwt_issuer):
            raise SettingsError(f"jwt_issuer is {self.jwt_issuer!r}: give its URL, https://...")
        for origin in self.cors_origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|\*", origin):
                raise SettingsError(
                    f"cors_origins has {origin!r}: give origins such as https://example.org, "
                    "with commas between them"
                )
        if (self.domain_name is None) != (self.certificate_arn is None):
            raise SettingsError("domain_name and certificate_arn go together: give both or none")
        if self.hosted_zone_id is not None and self.domain_name is None:
            raise SettingsError("hosted_zone_id is the zone of a domain_name: give that, too")
        for name in ("throttle", "batch_throttle", "feedback_throttle"):
            throttle: Throttle = getattr(self, name)
            if min(throttle.rate, throttle.burst) < 1:
                raise SettingsError(f"{name} is {throttle}: give whole numbers of at least 1")


ENVIRONMENTS: Final[Mapping[str, Callable[..., Settings]]] = {
    "dev": partial(Settings, environment="dev"),
    "prod": partial(
        Settings,
        environment="prod",
        log_retention=logs.RetentionDays.ONE_YEAR,
        rollout="canary_15_minutes",
        protected=True,
        monthly_budget_usd=50,
        limits=Limits(
            minimum_volume=50,
            minimum_prediction_rate=0.8,
            minimum_confidence=0.5,
            maximum_server_errors=3,
            heartbeat_minutes=5,
        ),
    ),
    # As dev; what the emulator's CloudFormation refuses is left out (infra_cdk/emulator.py).
    "emulator": partial(Settings, environment="emulator"),
}
"""The environments, by the choices in which they differ."""


def check_one_of(name: str, value: str, allowed: Collection[str]) -> None:
    """Refuse a value that is none of those allowed, and name them; raises `SettingsError`."""
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}: give one of {', '.join(allowed)}")
