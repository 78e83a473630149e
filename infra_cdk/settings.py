"""The settings of a deployment: one typed object per environment, checked before synthesis."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from infra_cdk.accounts import ACCOUNTS
from infra_cdk.limits import Limits
from infra_cdk.model_signature import SignatureError, check_key

ROOT: Final = Path(__file__).resolve().parent.parent
STARTER_MODEL: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
ARCHITECTURES: Final = ("arm64", "x86_64")
ROLLOUTS: Final = ("canary_5_minutes", "canary_15_minutes", "all_at_once")
AUTHS: Final = ("none", "iam", "jwt")
_MAX_TIMEOUT_SECONDS: Final = 19
"""An HTTP API gives up after 30 s, and Lambda counts a start of up to 10 s apart."""

_MIN_MONITOR_MB: Final = 512
_FEEDBACK_DAYS: Final = 31


class SettingsError(ValueError):
    """A setting is not valid; the message names it and says what is valid."""


@dataclass(frozen=True)
class Throttle:
    """How many requests API Gateway accepts. It answers the others with 429."""

    rate: int
    """Requests per second, over a longer time."""
    burst: int
    """Requests at the same time."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one deployment; the defaults are those of `dev`.

    Examples
    --------
    >>> Settings(environment="dev", architecture="x86_64").stack_name
    'etiquette-dev'
    """

    environment: str
    """`dev`, `prod` or `emulator`, chosen with `-c environment=NAME`."""
    service: str = "etiquette"
    """The name of the deployed service. Deployments with different names can share an account."""
    account: str | None = None
    """The twelve digits of the AWS account of this environment, from infra_cdk/accounts.py.
    Commands with the credentials of another account are refused. By default, every account is
    accepted."""
    model: Path = STARTER_MODEL
    """The bundle to serve: `-c model=PATH`, relative to the folder of cdk.json."""
    report: Path | None = None
    """The report of `python -m model_build evaluate --json` about the bundle. The release shows its
    figures."""

    signing_key: str | None = None
    """The public key by which a model must be signed, as `scripts/sign_model --public-key` prints
    it. With it, the synthesis and the start of the function refuse other models
    (docs/operate.md)."""

    # The functions
    architecture: str = "arm64"
    """Of the functions. `arm64` costs a fifth less per second; use `x86_64` only if you must."""
    memory_mb: int = 1024
    """The least memory with which a start without a snapshot takes less than a second
    (docs/serving.md).

    With half of it, a start takes 1.7 s; with 1769 MB, which is a whole core, 0.3 s less. The
    function uses only a tenth of the memory. Less memory saves nothing: each second costs less, but
    each answer takes proportionally longer.
    """
    timeout_seconds: int = 15
    """Together with the 10 s that a start may take before it, less than API Gateway's 30 s."""
    reserved_concurrency: int | None = None
    """How many copies may run at once, and are reserved for this function. 0 switches it off.

    By default, nothing is reserved: in a new account, all functions share ten copies, and ten must
    stay unreserved.
    """
    account_concurrency: int = 10
    """How many copies all functions of the account may run at once. This is Lambda's service quota,
    10 in new accounts and 1000 or more in others. The alarm Concurrency depends on it."""

    monitor_memory_mb: int = 2048
    """Of the monitor, which runs every hour. It comes with a share of the processor: more memory
    makes a run shorter. docs/watching.md has the figures for a million predictions a day."""

    rollout: str = "canary_5_minutes"
    """How long the canary lasts, in which a tenth of the requests goes to the new version.
    `all_at_once` is for an urgent fix: it keeps the pre-traffic check, but no canary, and no alarm
    stops the release."""

    # Who may call, and how often
    auth: str = "none"
    """`none`: everybody; `iam`: principals of the account, with signed requests; `jwt`:
    callers with a bearer token."""
    jwt_issuer: str | None = None
    """The `iss` of the tokens, an `https://` URL. API Gateway reads its OpenID configuration."""
    jwt_audiences: tuple[str, ...] = ()
    """The accepted values of a token's `aud`, or of its `client_id` if it has no `aud`."""
    open_pages: bool = False
    """With `iam` or `jwt`, leave the web page and `/docs` open to everybody.

    The requests that the page sends still need a token. This is for deployments where something in
    front of the API adds it.
    """
    principal_share: int = 10
    """With `iam` or `jwt`: the largest share of a day's feedback, in per cent, that counts for one
    principal in the monitor's figures (docs/watching.md). The events then have a pseudonym of the
    caller. 100 means no limit, and no pseudonyms: for an API with a single caller that serves many
    people."""
    cors_origins: tuple[str, ...] = ()
    """The origins of other web pages that may call the API: `https://example.org,https://...`.

    The function sends the CORS headers. Answers of API Gateway itself (401, 429) have none, so that
    a browser reports them as a network error.
    """
    web_acl_arn: str | None = None
    """The ARN of a web ACL for CloudFront, which infra_cdk/web_acl.py creates. With it, CloudFront
    is in front of the API, the web ACL limits each client, and the function refuses requests that
    did not come through CloudFront. A domain name then belongs to CloudFront, so that its
    certificate must be in us-east-1.
    """
    throttle: Throttle = Throttle(rate=50, burst=100)
    """For each route that has no throttle of its own. Routes are counted separately."""
    batch_throttle: Throttle = Throttle(rate=2, burst=5)
    """For `/predict/batch`, where one request has up to a hundred questions."""
    feedback_throttle: Throttle = Throttle(rate=20, burst=40)
    """For `/feedback`. It costs the sender nothing, and models are judged by it."""
    domain_name: str | None = None
    """A domain name for the API, which the certificate of `certificate_arn` must contain."""
    certificate_arn: str | None = None
    """The ARN of an issued ACM certificate for the domain name, in the region of the stack."""
    hosted_zone_id: str | None = None
    """The Route 53 zone that gets the DNS records. Without it, create them yourself, from the
    stack's outputs `DomainTarget` and `DomainTargetZoneId`."""
    disable_execute_api_endpoint: bool = False
    """Close the address that AWS gave the API (`execute-api`), so that the API has its own
    domain name only.

    Set it in a deployment after the one that added `domain_name`, when callers use that name.
    Otherwise nobody can reach the API until the DNS records have spread.

    References
    ----------
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-disable-default-endpoint.html
    """

    # What is kept, watched and paid
    alarm_email: str | None = None
    """The address that receives pages and the budget's mails. AWS asks it to confirm."""
    ticket_email: str | None = None
    """The address that receives tickets. Without it, they go to `alarm_email`."""
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    event_retention_days: int = 90
    """How long the event store keeps events. The monitor accepts feedback for 30 days. Events tell
    which words a question contained (docs/watching.md), so keep them no longer than you need."""
    event_text: bool = False
    """Write the title and the body of each question into its event. Ask whoever is responsible for
    the questions of your users first."""
    protected: bool = False
    """Refuse to delete the stack. If it is deleted all the same, keep its logs and its key."""
    monthly_budget_usd: int = 0
    """`alarm_email` gets a mail when the month has cost 80 per cent of this, or when the forecast
    exceeds it. The whole account counts: one stack of each account has a budget, and the others
    have 0, which means none."""
    retraining: bool = False
    """Train a candidate when the monitor finds that quality has fallen, at most once a week
    (infra_cdk/retraining.py). The operator gets its figures, and releases it or does not."""
    retraining_schedule: str | None = None
    """Also retrain at these times: `rate(28 days)` or `cron(0 3 ? * SUN *)`, in UTC."""
    audit_site: str | None = None
    """Audit the live model every day with the newest questions of this Stack Exchange site
    (infra_cdk/audit.py), named as its API does: `stackoverflow`, `cooking`."""
    audit_key_parameter: str | None = None
    """The name of an SSM parameter (SecureString) with a key of the Stack Exchange API. Without a
    key, the API allows 300 requests a day for each address."""
    archive_scoring: int = 0
    """How many parts of an archive are scored at once, each by a copy of a function
    (infra_cdk/archive_scoring.py). 0 means that there is no archive scoring."""
    limits: Limits = field(default_factory=Limits)
    """The limits of the alarms that differ between environments."""

    given: frozenset[str] = field(default=frozenset(), compare=False)
    """The names of the settings that the command line gave, in `-c NAME=VALUE`."""

    def __post_init__(self) -> None:
        self._check_identity()
        self._check_function()
        self._check_front()
        self._check_retraining()
        self._check_audit()
        self._check_archive_scoring()

    @property
    def stack_name(self) -> str:
        """The name of the stack and the `service` dimension of its metrics: `etiquette-dev`."""
        return f"{self.service}-{self.environment}"

    @property
    def limits_principals(self) -> bool:
        """Whether the share of each principal is limited, for which events have pseudonyms."""
        return self.auth != "none" and self.principal_share < 100

    @property
    def emulated(self) -> bool:
        """Whether the stack is for the emulator, which does not support all resources."""
        return self.environment == "emulator"

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to the logs and the key when the stack is deleted."""
        return RemovalPolicy.RETAIN if self.protected else RemovalPolicy.DESTROY

    def _check_identity(self) -> None:
        # CloudFormation shortens names of roles with more than 64 characters. The permissions in
        # delivery.py need the beginning of these names.
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,16}", self.service):
            raise SettingsError(
                f"service is {self.service!r}, but it must have up to 17 lower-case letters, "
                "digits and hyphens, and begin with a letter"
            )
        if self.account is not None and not re.fullmatch(r"\d{12}", self.account):
            raise SettingsError(
                f"account is {self.account!r}, but an AWS account has twelve digits"
            )
        if not self.model.is_file():
            raise SettingsError(
                f"there is no model at {self.model}: choose a bundle with -c model=PATH"
            )
        if self.signing_key is not None:
            try:
                check_key(self.signing_key)
            except SignatureError as error:
                raise SettingsError(str(error)) from error
        for name in ("alarm_email", "ticket_email"):
            address = getattr(self, name)
            if address is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                raise SettingsError(f"{name} is {address!r}, which is not a mail address")
        if self.environment == "prod" and self.alarm_email is None:
            raise SettingsError(
                "prod needs an address that receives alarms: pass -c alarm_email=ADDRESS"
            )
        if self.event_retention_days < _FEEDBACK_DAYS:
            raise SettingsError(
                f"event_retention_days is {self.event_retention_days}, but it must be at least "
                f"{_FEEDBACK_DAYS}: the monitor joins a prediction with feedback that arrives "
                "within 30 days"
            )
        if self.monthly_budget_usd < 0:
            raise SettingsError(
                f"monthly_budget_usd is {self.monthly_budget_usd}, but it must be an amount, or 0 "
                "for no budget"
            )
        if self.monthly_budget_usd and self.alarm_email is None:
            raise SettingsError(
                "monthly_budget_usd needs an address that receives the mails: pass "
                "-c alarm_email=ADDRESS, too"
            )

    def _check_function(self) -> None:
        check_one_of("architecture", self.architecture, ARCHITECTURES)
        check_one_of("rollout", self.rollout, ROLLOUTS)
        if not 128 <= self.memory_mb <= 10240:
            raise SettingsError(f"memory_mb is {self.memory_mb}, but Lambda accepts 128 to 10240")
        if not _MIN_MONITOR_MB <= self.monitor_memory_mb <= 10240:
            raise SettingsError(
                f"monitor_memory_mb is {self.monitor_memory_mb}, but it must be {_MIN_MONITOR_MB} "
                "to 10240: the libraries of the monitor need some hundred megabytes"
            )
        if not 1 <= self.timeout_seconds <= _MAX_TIMEOUT_SECONDS:
            raise SettingsError(
                f"timeout_seconds is {self.timeout_seconds}, but it must be 1 to "
                f"{_MAX_TIMEOUT_SECONDS}: a start of up to 10 s comes before it, and API Gateway "
                "waits 30 s"
            )
        if self.reserved_concurrency is not None and self.reserved_concurrency < 0:
            raise SettingsError(
                f"reserved_concurrency is {self.reserved_concurrency}, but it must be a number of "
                "copies, or 0 to switch the function off"
            )
        if self.account_concurrency < 1:
            raise SettingsError(
                f"account_concurrency is {self.account_concurrency}, but it must be the account's "
                "quota of concurrent executions, at least 1"
            )

    def _check_front(self) -> None:
        check_one_of("auth", self.auth, AUTHS)
        if len({self.auth == "jwt", bool(self.jwt_issuer), bool(self.jwt_audiences)}) != 1:
            raise SettingsError(
                "auth=jwt needs jwt_issuer and jwt_audiences, and they need auth=jwt: pass all "
                "three, or none"
            )
        # The issuer of the emulator's tests runs on this machine, without TLS.
        schemes = "https?" if self.emulated else "https"
        if self.jwt_issuer and not re.fullmatch(rf"{schemes}://[^\s?#]+", self.jwt_issuer):
            raise SettingsError(f"jwt_issuer is {self.jwt_issuer!r}, which is not an https:// URL")
        if not 1 <= self.principal_share <= 100:
            raise SettingsError(
                f"principal_share is {self.principal_share}, but it must be 1 to 100 per cent"
            )
        for origin in self.cors_origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|\*", origin):
                raise SettingsError(
                    f"cors_origins contains {origin!r}, which is not an origin such as "
                    "https://example.org; separate origins by commas"
                )
        if (self.domain_name is None) != (self.certificate_arn is None):
            raise SettingsError(
                "domain_name and certificate_arn need each other: pass both or none"
            )
        if self.hosted_zone_id is not None and self.domain_name is None:
            raise SettingsError("hosted_zone_id needs domain_name: pass both or none")
        if self.disable_execute_api_endpoint and self.domain_name is None:
            raise SettingsError(
                "disable_execute_api_endpoint needs domain_name: without it, nobody could reach "
                "the API"
            )
        if self.web_acl_arn is not None:
            self._check_cloudfront(self.web_acl_arn)
        for name in ("throttle", "batch_throttle", "feedback_throttle"):
            throttle: Throttle = getattr(self, name)
            if min(throttle.rate, throttle.burst) < 1:
                raise SettingsError(f"{name} is {throttle}, but both numbers must be at least 1")

    def _check_audit(self) -> None:
        if self.audit_site is not None and not re.fullmatch(
            r"[a-z0-9][a-z0-9.-]*", self.audit_site
        ):
            raise SettingsError(
                f"audit_site is {self.audit_site!r}, but it must be the name of a site in the "
                "Stack Exchange API, such as stackoverflow or cooking"
            )
        if self.audit_key_parameter is None:
            return
        if self.audit_site is None:
            raise SettingsError("audit_key_parameter needs audit_site: pass both or none")
        if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", self.audit_key_parameter):
            raise SettingsError(
                f"audit_key_parameter is {self.audit_key_parameter!r}, but it must be the name of "
                "an SSM parameter, such as /etiquette/stack-exchange-key. Do not pass the key "
                "itself: settings are outputs of the stack"
            )

    def _check_archive_scoring(self) -> None:
        # Otherwise an archive could take all copies from the callers of the API.
        if not 0 <= self.archive_scoring <= self.account_concurrency // 2:
            raise SettingsError(
                f"archive_scoring is {self.archive_scoring}, but it must be at most half of "
                f"account_concurrency ({self.account_concurrency}), or 0 for no archive scoring"
            )

    def _check_retraining(self) -> None:
        if self.retraining_schedule is None:
            return
        if not self.retraining:
            raise SettingsError("retraining_schedule needs -c retraining=true: pass both or none")
        if not re.fullmatch(r"(rate|cron)\([^()]+\)", self.retraining_schedule):
            raise SettingsError(
                f"retraining_schedule is {self.retraining_schedule!r}, but it must be a schedule "
                "such as rate(28 days) or cron(0 3 ? * SUN *)"
            )

    def _check_cloudfront(self, web_acl_arn: str) -> None:
        if not re.fullmatch(r"arn:aws:wafv2:us-east-1:\d{12}:global/webacl/.+", web_acl_arn):
            raise SettingsError(
                f"web_acl_arn is {web_acl_arn!r}, which is not the ARN of a web ACL for "
                "CloudFront; it is the output WebAclArn of infra_cdk/web_acl.py"
            )
        if self.emulated:
            raise SettingsError(
                "web_acl_arn is not possible with environment=emulator, which has no CloudFront"
            )
        if self.disable_execute_api_endpoint:
            raise SettingsError(
                "web_acl_arn and disable_execute_api_endpoint exclude each other: CloudFront "
                "reaches the API through this endpoint, and the function refuses other callers"
            )
        if self.auth == "iam":
            raise SettingsError(
                "web_acl_arn and auth=iam exclude each other: a signature is valid for one host "
                "name, and CloudFront changes it. Use auth=jwt or auth=none"
            )
        if self.certificate_arn and not re.match(r"arn:aws:acm:us-east-1:", self.certificate_arn):
            raise SettingsError(
                f"certificate_arn is {self.certificate_arn!r}, but with web_acl_arn the "
                "certificate must be in us-east-1, because CloudFront uses it"
            )


ENVIRONMENTS: Final[Mapping[str, partial[Settings]]] = {
    "dev": partial(Settings, environment="dev", account=ACCOUNTS.get("dev")),
    "prod": partial(
        Settings,
        environment="prod",
        account=ACCOUNTS.get("prod"),
        log_retention=logs.RetentionDays.THREE_MONTHS,
        rollout="canary_15_minutes",
        protected=True,
        monthly_budget_usd=75,
        limits=Limits(
            minimum_volume=50,
            minimum_prediction_rate=0.8,
            minimum_confidence=0.5,
            maximum_server_errors=3,
            feedback_hours=2,
            heartbeat_minutes=5,
        ),
    ),
    # Like dev, without the resources that the emulator does not support (infra_cdk/emulator.py).
    "emulator": partial(Settings, environment="emulator"),
}
"""The environments, with the settings in which they differ from the defaults."""


def check_one_of(name: str, value: str, allowed: Collection[str]) -> None:
    """Raise `SettingsError` if a value is not one of the allowed ones."""
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}, but it must be one of {', '.join(allowed)}")
