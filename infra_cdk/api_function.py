"""The function behind the HTTP API, with the alias `live`."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.event_store import EventStore
from infra_cdk.function import FolderFunction
from infra_cdk.generated_secret import GeneratedSecret
from infra_cdk.model import Model
from infra_cdk.policies import policy
from infra_cdk.settings import Settings

ALIAS: Final = "live"


class PrincipalKey(GeneratedSecret):
    """The key of the pseudonyms that the events have of identified callers."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Etiquette: the key of the callers' pseudonyms in the events",
            why_not_rotated="The pseudonyms change with every day, whatever the key is. A rotated "
            "key would split each caller of one day into two.",
        )


class ApiFunction(FolderFunction):
    """The function that answers the HTTP API. Every request goes to its alias `live`.

    Its role may read the one model of its release. A role shared by all releases would have to read
    all models: with access to the newest model only, the version before could not start any more,
    neither during a deployment nor after a rollback.

    Attributes
    ----------
    alias
        The alias `live`. Only CloudFormation moves it, and a rollback in an emergency.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        model: Model,
        event_store: EventStore,
        origin_secret: str | None,
        principal_key: str | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder="api",
            shared=("environment_settings.py", "metrics.py", "model_signature.py", "tagger"),
            title="API function",
            description=model.identity.description,
            memory_mb=settings.memory_mb,
            timeout=Duration.seconds(settings.timeout_seconds),
            policies={
                "ReadModel": policy(model.read_statement()),
                "ReadHealth": policy(event_store.read_health_statement()),
            },
            environment=_environment(settings, model, event_store)
            | _secrets(origin_secret, principal_key),
            release=model.identity.sha256[:8],
            reserved_concurrency=settings.reserved_concurrency,
        )
        self.alias = lambda_.Alias(
            self, "Live", alias_name=ALIAS, version=self.function.current_version
        )

    def metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Return one of Lambda's metrics of the alias, which is what callers invoke."""
        return self.alias.metric(
            name, statistic=statistic, period=period, label=f"{name} {statistic}"
        )


def _environment(settings: Settings, model: Model, event_store: EventStore) -> dict[str, str]:
    """Return the variables that lambda_src/api/settings.py reads."""
    variables = {
        "ETIQUETTE_MODEL": model.url,
        "ETIQUETTE_MODEL_SHA256": model.identity.sha256,
        **model.signature_variables,
        "ETIQUETTE_SERVICE": settings.stack_name,
        "ETIQUETTE_HEALTH_REPORT": event_store.health_report,
    }
    # The application answers CORS requests, and not API Gateway, so that it works on a laptop, too.
    if settings.cors_origins:
        variables["ETIQUETTE_CORS_ORIGINS"] = ",".join(settings.cors_origins)
    if settings.event_text:
        variables["ETIQUETTE_EVENT_TEXT"] = "true"
    return variables


def _secrets(origin_secret: str | None, principal_key: str | None) -> dict[str, str]:
    named = {"ETIQUETTE_ORIGIN_SECRET": origin_secret, "ETIQUETTE_PRINCIPAL_KEY": principal_key}
    return {name: value for name, value in named.items() if value is not None}
