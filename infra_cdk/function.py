"""The API's function: image, role, log group, published version and the alias `live`."""

from typing import Final

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra_cdk.model import Model
from infra_cdk.settings import ROOT, Settings

ALIAS: Final = "live"
_ARCHITECTURES: Final = {
    "arm64": (lambda_.Architecture.ARM_64, ecr_assets.Platform.LINUX_ARM64),
    "x86_64": (lambda_.Architecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}
# The build context is what the image copies and nothing else, so that a change elsewhere
# (another function, a note, a compiled file) publishes no new version of this one.
_NOT_IN_CONTEXT: Final = [
    "*",
    "!__init__.py",
    "!metrics.py",
    "!tagger",
    "!api",
    "api/requirements-serve.txt",
    "**/__pycache__",
    "**/*.so",
]


class ApiFunction(Construct):
    """The function behind the API; every request goes to its alias `live`.

    Attributes
    ----------
    alias
        The alias `live`: CloudFormation alone moves it.
    log_group
        Where the function writes its lines, metrics and events among them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, model: Model
    ) -> None:
        super().__init__(scope, construct_id)
        architecture, platform = _ARCHITECTURES[settings.architecture]
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=settings.log_retention,
            removal_policy=settings.removal_policy,
        )
        role = self._role(model)
        function = lambda_.DockerImageFunction(
            self,
            "Function",
            description=model.identity.description,
            code=lambda_.DockerImageCode.from_image_asset(
                str(ROOT / "lambda_src"),
                file="api/Dockerfile",
                exclude=_NOT_IN_CONTEXT,
                platform=platform,
            ),
            architecture=architecture,
            memory_size=settings.memory_mb,
            timeout=Duration.seconds(settings.timeout_seconds),
            reserved_concurrent_executions=settings.reserved_concurrency,
            # AWS's base image of Python 3.13 needs no more than this, and the handler no hooks.
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
            # X-Ray takes the first request of each second and one in twenty of the others.
            tracing=lambda_.Tracing.ACTIVE,
            # What the CDK would add lies in a policy of its own, which would not outlive the
            # deployment as the role does.
            role=role.without_policy_updates(),
            log_group=self.log_group,
            environment=_environment(settings, model),
            # Versions outlive the deployment that replaces them: there is something to go back to.
            current_version_options=lambda_.VersionOptions(
                # But one that failed its canary goes again: every version that is kept was live.
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        Validations.of(function).acknowledge(
            Acknowledgment(
                id="@aws-cdk/aws-lambda:snapStartRequirePublish",
                reason="Nobody calls the unpublished version: the alias names a published one.",
            )
        )
        self.alias = lambda_.Alias(self, "Live", alias_name=ALIAS, version=function.current_version)

    def _role(self, model: Model) -> iam.Role:
        """Make the role of this release: it reads its model, writes log and traces, and no more.

        A version keeps the role that it was published with. One role for all would have to
        read the models of all, or a version could not start any more once the next is
        deployed: not while that deployment is under way, and not to go back to. scripts/release
        deletes a role with the last version that has it.
        """
        role = iam.Role(
            self,
            f"Role{model.identity.sha256[:8]}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Etiquette's API with model {model.identity.version}",
            # The managed policy for functions may write to every log group of the account.
            inline_policies={
                "ReadModel": iam.PolicyDocument(statements=[model.read_statement()]),
                "WriteLog": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                            resources=[self.log_group.log_group_arn],
                        )
                    ]
                ),
                "Trace": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                            resources=["*"],
                        )
                    ]
                ),
            },
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray knows no resources: its two writing actions are granted on * or "
                "not at all. What reads the model and writes the log stays narrow.",
            )
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return role


def _environment(settings: Settings, model: Model) -> dict[str, str]:
    """What the function is told (lambda_src/api/settings.py)."""
    told = {
        "ETIQUETTE_MODEL": model.url,
        "ETIQUETTE_MODEL_SHA256": model.identity.sha256,
        "ETIQUETTE_SERVICE": settings.stack_name,
    }
    # The application answers browsers, not API Gateway: in one place, and the same on a laptop.
    if settings.cors_origins:
        told["ETIQUETTE_CORS_ORIGINS"] = ",".join(settings.cors_origins)
    return told
