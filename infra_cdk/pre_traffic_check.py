"""The function that checks a new version before it gets traffic."""

from typing import Final

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.api_function import ALIAS
from infra_cdk.function import FolderFunction
from infra_cdk.policies import allow, policy
from infra_cdk.settings import Settings

_TIMEOUT: Final = Duration.minutes(9)
"""Enough for ten questions of at most 25 s each, after four minutes until the version is active."""


class PreTrafficCheck(FolderFunction):
    """The function that asks the new version ten questions and reports to CodeDeploy.

    It may invoke that version and report to that deployment group, and nothing else. It needs no
    alarms: if it fails, so does the deployment.
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
        version_arn = alias.version.function_arn
        function_arn = alias.lambda_.function_arn
        # By name: the deployment group needs this function, and so it is created later.
        group_arn = Stack.of(scope).format_arn(
            service="codedeploy",
            resource="deploymentgroup",
            resource_name=f"{application.application_name}/{ALIAS}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            folder="pre_traffic_check",
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
                "Report": policy(
                    allow(["codedeploy:PutLifecycleEventHookExecutionStatus"], [group_arn])
                ),
            },
            has_alarms=False,
            environment={"VERSION_ARN": version_arn, "ALIAS": ALIAS},
        )
