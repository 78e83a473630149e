"""A Lambda function made from a folder of lambda_src/: code, role and log group."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypedDict

from aws_cdk import Acknowledgment, Duration, IgnoreMode, RemovalPolicy, Size, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.build_context import not_code
from infra_cdk.policies import allow, policy
from infra_cdk.settings import ROOT, Settings

SOURCES: Final = ROOT / "lambda_src"
_ARCHITECTURES: Final = {
    "arm64": (lambda_.Architecture.ARM_64, ecr_assets.Platform.LINUX_ARM64),
    "x86_64": (lambda_.Architecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}


class FolderFunction(Construct):
    """A function whose code is the folder `lambda_src/<folder>`.

    A folder with a Dockerfile becomes a container image, built with lambda_src as its context. A
    folder without one becomes a zip file on Lambda's own Python: its `handler.py` may use the
    standard library and boto3 only, and must import its neighbours relatively. Each function has a
    role of its own, which may write to the function's log group and do what `policies` allow.

    Parameters
    ----------
    folder
        The name of a folder of lambda_src/.
    title
        What people call the function, for example `API function`. Alarms are named after it.
    description
        Shown in Lambda's list of functions, at most 256 characters.
    policies
        What the function may do, by the names of the inline policies.
    environment
        Environment variables.
    shared
        The other files and folders of lambda_src/ that the Dockerfile copies. Only these and the
        function's own folder are in the build context: a change elsewhere makes no new image.
    release
        Identifies what a published version depends on, for example a model. A function with a
        release is published: its versions start from a snapshot, are traced, and are kept. Lambda
        keeps the role that a version was published with, so each release has a role of its own
        that outlives the deployment. `scripts/release` deletes a role together with the last
        version that uses it.
    reserved_concurrency
        How many copies may run at once, and are kept for this function. 0 switches it off.
    has_alarms
        Whether errors, throttles and invocations near the time limit raise alarms.
    storage_mb
        The size of the temporary folder, at least Lambda's default of 512.
    module
        The module of the folder that contains `handler`. Functions that share code share a folder,
        and those with an image share the image.

    Attributes
    ----------
    title, has_alarms
        As given.
    is_published
        Whether requests go to published versions, as those of the API do. Otherwise, a schedule or
        another service invokes the function, and nobody waits for an answer.
    function
        The function itself.
    log_group
        Where the function writes its log lines.
    role
        The role that the function runs with.
    timeout
        The time limit of an invocation.

    Raises
    ------
    ValueError
        If the folder has no handler.py.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        folder: str,
        title: str,
        description: str,
        memory_mb: int,
        timeout: Duration,
        policies: Mapping[str, iam.PolicyDocument],
        environment: Mapping[str, str],
        shared: Sequence[str] = (),
        release: str | None = None,
        reserved_concurrency: int | None = None,
        has_alarms: bool = True,
        storage_mb: int = 512,
        module: str = "handler",
    ) -> None:
        super().__init__(scope, construct_id)
        if not (SOURCES / folder / "handler.py").is_file():
            raise ValueError(
                f"lambda_src/{folder} has no handler.py, so it is not the folder of a function"
            )
        self.title = title
        self.has_alarms = has_alarms
        self.timeout = timeout
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=settings.log_retention,
            removal_policy=settings.removal_policy,
        )
        self.role = self._role(title, policies, release)
        self.is_published = release is not None
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            **_code(folder, module, shared, settings.architecture),
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb) if storage_mb != 512 else None,
            timeout=timeout,
            reserved_concurrent_executions=reserved_concurrency,
            # AWS's base image for Python 3.13 supports snapshots without any hooks in the handler.
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if self.is_published else None,
            # X-Ray samples the first request of each second and one in twenty of the others.
            tracing=lambda_.Tracing.ACTIVE if self.is_published else None,
            # The CDK would add permissions in a separate policy, which would be deleted with the
            # deployment while the role is kept.
            role=self.role.without_policy_updates(),
            log_group=self.log_group,
            environment=dict(environment),
            # A rollback needs the versions of earlier deployments. A version whose own deployment
            # failed is deleted, so that every version that is kept was once live.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        if self.is_published:
            Validations.of(self.function).acknowledge(
                Acknowledgment(
                    id="@aws-cdk/aws-lambda:snapStartRequirePublish",
                    reason="Only published versions are invoked, through an alias.",
                )
            )

    @property
    def log_group_output(self) -> str:
        """The name of the stack's output for the log group, for example `ApiFunctionLogGroup`."""
        return re.sub(r"\W", "", self.title.title()) + "LogGroup"

    def metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Return one of Lambda's metrics of this function."""
        return self.function.metric(
            name, statistic=statistic, period=period, label=f"{name} {statistic}"
        )

    def _role(
        self, title: str, policies: Mapping[str, iam.PolicyDocument], release: str | None
    ) -> iam.Role:
        log = allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])
        # AWS's managed policy for functions allows writing to every log group of the account.
        documents = {**policies, "WriteLog": policy(log)}
        if release is not None:
            traces = allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
            documents["Trace"] = policy(traces)
        role = iam.Role(
            self,
            f"Role{release or ''}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{title} of Etiquette" + (f", release {release}" if release else ""),
            inline_policies=documents,
        )
        if release is not None:
            role.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
            Validations.of(role).acknowledge(
                Acknowledgment(
                    id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                    reason="X-Ray's two write actions do not support resource-level permissions. "
                    "The permissions for the model and the log name their resources.",
                )
            )
        return role


class _Code(TypedDict):
    """The arguments of a function that depend on how its code is packaged."""

    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture


def _code(folder: str, module: str, shared: Sequence[str], architecture_name: str) -> _Code:
    architecture, platform = _ARCHITECTURES[architecture_name]
    if (SOURCES / folder / "Dockerfile").is_file():
        context = [f"!{each}" for each in ("__init__.py", *shared, folder)]
        # Requirements for other ways to run the folder, for example on a laptop.
        other_requirements = f"{folder}/requirements-*.txt"
        return {
            "code": lambda_.Code.from_asset_image(
                str(SOURCES),
                file=f"{folder}/Dockerfile",
                exclude=["*", *context, other_requirements, *not_code(SOURCES)],
                platform=platform,
                # The same image: this is a setting of the function.
                cmd=[f"lambda_src.{folder}.{module}.handler"] if module != "handler" else None,
            ),
            "handler": lambda_.Handler.FROM_IMAGE,
            "runtime": lambda_.Runtime.FROM_IMAGE,
            "architecture": architecture,
        }
    return {
        "code": lambda_.Code.from_asset(
            str(SOURCES),
            exclude=["*", f"!{folder}", *not_code(SOURCES)],
            ignore_mode=IgnoreMode.DOCKER,
        ),
        "handler": f"{folder}.{module}.handler",
        "runtime": lambda_.Runtime.PYTHON_3_14,
        "architecture": architecture,
    }
