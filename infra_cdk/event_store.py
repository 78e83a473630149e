"""The event store: a bucket with the event lines of the log, by day."""

from collections.abc import Sequence
from typing import Final, cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra_cdk.findings import acknowledge
from infra_cdk.function import FolderFunction
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings
from lambda_src import metrics

EVENT_LINES: Final = '"event_version"'
"""The filter pattern for event lines: those that contain this word."""
EXPIRING: Final = ("events/", "compact/", "set_aside/", "erased/")
"""The folders whose files are deleted after `event_retention_days`. The other folders hold figures
of days, which tell nothing about a single question."""
_FOLDER: Final = "event_archive"
_HEALTH_REPORT: Final = "reports/latest.json"


class EventStore(Construct):
    """Keeps the event lines of a log group as files in S3, without a call on the request path.

    CloudWatch Logs calls a function with new event lines, and the function writes them as they are.
    Another function merges the small files of each hour.

    Attributes
    ----------
    bucket
        The event store. It is not versioned: what is erased must be gone, and for as long as the
        log keeps its lines, `scripts/replay_events` restores what was lost.
    health_report
        The location of the monitor's newest report.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    prefix=prefix, expiration=Duration.days(settings.event_retention_days)
                )
                for prefix in EXPIRING
            ],
            # CloudFormation cannot delete a bucket with files in it.
            removal_policy=RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.bucket,
            "S1",
            "Only the functions and jobs of this stack read and write the bucket, and each has a "
            "log of its own. A log of S3's requests would cost more than the bucket.",
        )
        self.health_report = f"s3://{self.bucket.bucket_name}/{_HEALTH_REPORT}"

    def read_health_statement(self) -> iam.PolicyStatement:
        """Return the permission to read the monitor's newest report, and nothing else."""
        return allow(["s3:GetObject"], [self.bucket.arn_for_objects(_HEALTH_REPORT)])

    def collect(self, log_group: logs.ILogGroup) -> None:
        """Keep the event lines that will be written to a log group.

        Parameters
        ----------
        log_group
            The log of the API function.
        """
        settings = self._settings
        archive = _EventArchive(self, "Archive", settings=settings, bucket=self.bucket)
        logs.SubscriptionFilter(
            self,
            "Subscription",
            log_group=log_group,
            destination=destinations.LambdaDestination(archive.function),
            filter_pattern=logs.FilterPattern.literal(EVENT_LINES),
        )
        merge = _EventMerge(self, "Merge", settings=settings, bucket=self.bucket)
        events.Rule(
            self,
            "Hourly",
            description="Merges the small files of the event store",
            schedule=events.Schedule.cron(minute="20"),
            targets=[targets.LambdaFunction(merge.function, retry_attempts=0)],
        )


class _EventArchive(FolderFunction):
    """The function that CloudWatch Logs calls. It may write files, but not read them.

    CloudWatch Logs invokes functions asynchronously: Lambda repeats a failed batch twice, and a
    throttled one for six hours. What fails for longer is still in the log, so there is no queue for
    it; an alarm says that events are missing, and `scripts/replay_events` adds them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, bucket: s3.IBucket
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder=_FOLDER,
            title="Event archive",
            description="Writes the event lines of the log to the event store",
            memory_mb=256,
            timeout=Duration.minutes(1),
            policies={
                "Write": policy(
                    allow(
                        ["s3:PutObject"],
                        [bucket.arn_for_objects(f"{each}/*") for each in ("events", "set_aside")],
                    )
                )
            },
            environment={
                "EVENT_STORE": bucket.bucket_name,
                "METRICS_NAMESPACE": metrics.NAMESPACE,
                "SERVICE": settings.stack_name,
            },
        )
        explain_wildcards(self.role, bucket, ("events", "set_aside"))


class _EventMerge(FolderFunction):
    """The function that merges the small files of each hour.

    If it fails, the files stay small, and the next run merges them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, bucket: s3.IBucket
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder=_FOLDER,
            module="merge_handler",
            title="Event merge",
            description="Merges the small files of the event store",
            memory_mb=1024,
            timeout=Duration.minutes(10),
            policies={
                "Merge": policy(
                    allow(
                        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                        [bucket.arn_for_objects("events/*")],
                    ),
                    allow(["s3:ListBucket"], [bucket.bucket_arn]),
                )
            },
            environment={"EVENT_STORE": bucket.bucket_name},
        )
        explain_wildcards(self.role, bucket, ("events",))


def explain_wildcards(role: iam.Role, bucket: s3.IBucket, folders: Sequence[str]) -> None:
    """Record why a role may use all files of some folders of a bucket.

    Parameters
    ----------
    role
        The role with the permissions.
    bucket
        The event store, or another bucket of the stack.
    folders
        The folders, without a slash at the end.
    """
    name = Stack.of(bucket).get_logical_id(cast(CfnElement, bucket.node.default_child))
    for folder in folders:
        acknowledge(
            role,
            f"IAM5[Resource::<{name}.Arn>/{folder}/*]",
            "The names of the files depend on their contents or on the run. The permission is for "
            "one folder of one bucket.",
        )
