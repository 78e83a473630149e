"""The functions around a release: before the canary, during it and after it."""

from typing import Final

from aws_cdk import Acknowledgment, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.api_function import ALIAS
from infra_cdk.function import FolderFunction
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings

_TIMEOUT: Final = Duration.minutes(9)
"""Enough for ten questions of at most 25 s each, after four minutes until the version is active."""


_WHOLE_CANARY: Final = Duration.minutes(15)
"""The longest canary, and Lambda's longest time limit."""
_FOLDER: Final = "pre_traffic_check"


class CanaryQuestions(FolderFunction):
    """The function that asks questions through the alias while a tenth goes to the new version.

    The pre-traffic check starts it. It needs no alarms: without its questions, the post-traffic
    check may find that nobody asked the new version, and fails the deployment.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, alias: lambda_.Alias
    ) -> None:
        function_arn = alias.lambda_.function_arn
        live_arn = f"{function_arn}:{ALIAS}"
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder=_FOLDER,
            module="canary_handler",
            title="Canary questions",
            description="Asks questions through the alias while a new version gets a tenth of them",
            memory_mb=256,
            timeout=_WHOLE_CANARY,
            policies={
                "Ask": policy(
                    allow(["lambda:InvokeFunction"], [live_arn]),
                    allow(["lambda:GetAlias"], [function_arn, live_arn]),
                )
            },
            has_alarms=False,
            environment={"VERSION_ARN": alias.version.function_arn, "ALIAS": ALIAS},
        )
        # A second attempt would come when the canary is over.
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(5))


class PostTrafficCheck(FolderFunction):
    """The function that fails a deployment if the new version got no request during the canary.

    It needs no alarms: if it fails, so does the deployment.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alias: lambda_.Alias,
        application: codedeploy.LambdaApplication,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder=_FOLDER,
            module="post_traffic",
            title="Post-traffic check",
            description="Counts the requests that a new version got during the canary",
            memory_mb=256,
            timeout=_TIMEOUT,
            policies={
                "Count": policy(allow(["cloudwatch:GetMetricStatistics"], ["*"])),
                "Report": _report_policy(scope, application),
            },
            has_alarms=False,
            environment={"VERSION_ARN": alias.version.function_arn, "ALIAS": ALIAS},
        )
        Validations.of(self.role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="cloudwatch:GetMetricStatistics supports no narrower resource.",
            )
        )


class PreTrafficCheck(FolderFunction):
    """The function that asks the new version ten questions and reports to CodeDeploy.

    It may invoke that version, start the canary's questions and report to that deployment group,
    and nothing else. It needs no alarms: if it fails, so does the deployment.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alias: lambda_.Alias,
        application: codedeploy.LambdaApplication,
        questions: CanaryQuestions,
    ) -> None:
        version_arn = alias.version.function_arn
        function_arn = alias.lambda_.function_arn
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder=_FOLDER,
            title="Pre-traffic check",
            description="Asks a new version ten questions before it gets traffic",
            memory_mb=256,
            timeout=_TIMEOUT,
            policies={
                "Ask": policy(
                    allow(
                        ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], [version_arn]
                    ),
                    allow(["lambda:GetAlias"], [function_arn, f"{function_arn}:{ALIAS}"]),
                ),
                "StartQuestions": policy(
                    allow(["lambda:InvokeFunction"], [questions.function.function_arn])
                ),
                "Report": _report_policy(scope, application),
            },
            has_alarms=False,
            environment={
                "VERSION_ARN": version_arn,
                "ALIAS": ALIAS,
                "CANARY_QUESTIONS": questions.function.function_name,
            },
        )


def _report_policy(
    scope: Construct, application: codedeploy.LambdaApplication
) -> iam.PolicyDocument:
    """Allow a function to report its result to the deployment group."""
    # By name: the deployment group needs the function, and so it is created later.
    group_arn = Stack.of(scope).format_arn(
        service="codedeploy",
        resource="deploymentgroup",
        resource_name=f"{application.application_name}/{ALIAS}",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return policy(allow(["codedeploy:PutLifecycleEventHookExecutionStatus"], [group_arn]))
