"""The monitor: the scheduled function that joins predictions with feedback."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra_cdk.event_store import explain_wildcards
from infra_cdk.function import FolderFunction
from infra_cdk.model import Model
from infra_cdk.observability.quality import least_audit_jaccard
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings

_READ: Final = ("events", "audits", "compact", "days", "state", "reports")
_WRITTEN: Final = ("compact", "days", "state", "reports")
_STORAGE_MB: Final = 4096
"""A day of a million predictions has 1.2 GB of event lines, and 30 compact days have 2 GB."""


class Monitor(FolderFunction):
    """The function that a schedule invokes every hour.

    It may read and write the folders of the event store that are its own, read the events, the
    audits and the bundle of the release, and say on EventBridge that the quality has fallen.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        bucket: s3.IBucket,
        model: Model,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder="monitor",
            shared=("environment_settings.py", "metrics.py", "tagger"),
            title="Monitor",
            description="Joins predictions with feedback and says how good the model is",
            memory_mb=settings.monitor_memory_mb,
            timeout=Duration.minutes(10),
            storage_mb=_STORAGE_MB,
            policies={
                "Events": policy(
                    allow(["s3:ListBucket"], [bucket.bucket_arn]),
                    allow(
                        ["s3:GetObject"], [bucket.arn_for_objects(f"{each}/*") for each in _READ]
                    ),
                    allow(
                        ["s3:PutObject"], [bucket.arn_for_objects(f"{each}/*") for each in _WRITTEN]
                    ),
                ),
                "ReadModel": policy(model.read_statement()),
                "Announce": policy(
                    allow(
                        ["events:PutEvents"],
                        [
                            Stack.of(scope).format_arn(
                                service="events", resource="event-bus", resource_name="default"
                            )
                        ],
                    )
                ),
            },
            environment=_environment(settings, bucket, model),
        )
        explain_wildcards(self.role, bucket, _READ)
        # The next hour repeats a failed run.
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(30))
        events.Rule(
            self,
            "Schedule",
            description="Runs the monitor",
            # After the hour, when its last event lines are in the store.
            schedule=events.Schedule.cron(minute="40"),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )


def _environment(settings: Settings, bucket: s3.IBucket, model: Model) -> dict[str, str]:
    """Return the variables that lambda_src/monitor/settings.py reads."""
    variables = {
        "ETIQUETTE_EVENTS": f"s3://{bucket.bucket_name}",
        "ETIQUETTE_SERVICE": settings.stack_name,
        "ETIQUETTE_MODEL": model.url,
        "ETIQUETTE_MODEL_SHA256": model.identity.sha256,
    }
    if settings.limits_principals:
        variables["ETIQUETTE_PRINCIPAL_SHARE"] = str(settings.principal_share / 100)
    if model.identity.held_out is not None:
        least = least_audit_jaccard(model.identity.held_out)
        variables["ETIQUETTE_MIN_AUDIT_JACCARD"] = str(least)
    return variables


def report_url(scope: Construct, bucket: s3.IBucket) -> str:
    """Return where the AWS console shows the newest report. Only who may read the bucket sees it.

    Parameters
    ----------
    scope
        The stack, for its region.
    bucket
        The event store.
    """
    region = Stack.of(scope).region
    return (
        f"https://{region}.console.aws.amazon.com/s3/object/{bucket.bucket_name}"
        f"?region={region}&prefix=reports/latest.html"
    )
