"""How `live` moves to a new version: ten questions, then a share of the requests, then all."""

from typing import Final

from aws_cdk import (
    Acknowledgment,
    ArnFormat,
    CfnResource,
    Duration,
    IgnoreMode,
    Stack,
    Validations,
)
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from infra_cdk.function import ALIAS
from infra_cdk.observability.watch import Fixed, Watch
from infra_cdk.settings import ROOT, Settings

_CONFIGURATIONS: Final = {
    "canary_5_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "canary_15_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES,
    "all_at_once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
}
_MINUTE: Final = Duration.minutes(1)
_CHECK_TIME: Final = Duration.minutes(9)
"""Ten questions of at most 25 s each, and four minutes until the version is Active."""


class Rollout(Construct):
    """CodeDeploy between CloudFormation and the alias: if something is wrong it goes back.

    Attributes
    ----------
    alarms
        What makes it go back. All but that of the API watch the version under test alone.
    check_log
        Where the check before traffic says what speaks against a version.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alias: lambda_.Alias,
        http_api: apigateway.HttpApi,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarms = self._alarms(settings, alias, http_api)
        application = codedeploy.LambdaApplication(self, "Application")
        hook = self._hook(settings, alias, application)
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            application=application,
            deployment_group_name=ALIAS,
            alias=alias,
            deployment_config=_CONFIGURATIONS[settings.rollout],
            # A fix that is wanted at once is not stopped by the alarms that call for it.
            alarms=[] if settings.rollout == "all_at_once" else self.alarms,
            role=self._role(alias, hook).without_policy_updates(),
            pre_hook=hook,
        )
        # All of them name the new version. The alias names them in its UpdatePolicy alone, of
        # which CloudFormation does not say that it waits for what stands there.
        for named in (group, hook, *self.alarms):
            _resource(alias).add_resource_dependency(_resource(named))

    def _alarms(
        self, settings: Settings, alias: lambda_.Alias, http_api: apigateway.HttpApi
    ) -> list[cloudwatch.Alarm]:
        under_test = {
            "FunctionName": alias.lambda_.function_name,
            "Resource": f"{alias.lambda_.function_name}:{ALIAS}",
            "ExecutedVersion": alias.version.version,
        }

        def of_the_version(name: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name=name,
                dimensions_map=under_test,
                statistic=statistic,
                period=_MINUTE,
            )

        above = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        watches = [
            Watch(
                name="Release errors",
                metric=of_the_version("Errors", cloudwatch.Stats.SUM),
                limit=Fixed(above, 1),
                to_alarm=1,
                periods=1,
                meaning="The version under test raised, ran out of time or did not start: "
                "CodeDeploy goes back to the version before.",
                look="the function's log at that time.",
                act="mend the release and deploy it again.",
            ),
            Watch(
                name="Release duration",
                metric=of_the_version("Duration", cloudwatch.Stats.p(90)),
                limit=Fixed(above, settings.timeout_seconds * 500),
                to_alarm=1,
                periods=1,
                meaning="A tenth of the answers of the version under test took half of the "
                "function's time limit: CodeDeploy goes back to the version before.",
                look="is the model or the image much larger?",
                act="try it on dev, then deploy again.",
            ),
            Watch(
                name="Release answers",
                metric=http_api.metric_server_error(period=_MINUTE, statistic=cloudwatch.Stats.SUM),
                limit=Fixed(above, 1),
                to_alarm=1,
                periods=1,
                meaning="Callers got a 5xx answer: while a release is under way, CodeDeploy goes "
                "back to the version before.",
                look="error and functionError in the access log.",
                act="mend the release; outside of one, the alarm Server errors speaks for itself.",
            ),
        ]
        return [watch.alarm(self) for watch in watches]

    def _hook(
        self,
        settings: Settings,
        alias: lambda_.Alias,
        application: codedeploy.LambdaApplication,
    ) -> lambda_.Function:
        """Make the function that asks the version under test, with a role for that and no more."""
        self.check_log = logs.LogGroup(
            self,
            "CheckLog",
            retention=settings.log_retention,
            removal_policy=settings.removal_policy,
        )
        function_arn = alias.lambda_.function_arn
        group = Stack.of(self).format_arn(
            service="codedeploy",
            resource="deploymentgroup",
            resource_name=f"{application.application_name}/{ALIAS}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        role = iam.Role(
            self,
            "CheckRole",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "Ask": _policy(
                    (
                        ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
                        [alias.version.function_arn],
                    ),
                    (["lambda:GetAlias"], [function_arn, f"{function_arn}:{ALIAS}"]),
                ),
                # By name, as the group itself is made when this role is there.
                "Report": _policy((["codedeploy:PutLifecycleEventHookExecutionStatus"], [group])),
                "WriteLog": _policy(
                    (["logs:CreateLogStream", "logs:PutLogEvents"], [self.check_log.log_group_arn])
                ),
            },
        )
        return lambda_.Function(
            self,
            "Check",
            description="Asks a version ten questions before it gets requests",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=alias.lambda_.architecture,
            code=lambda_.Code.from_asset(
                str(ROOT / "lambda_src"),
                exclude=["*", "!pre_traffic_check", "**/__pycache__"],
                ignore_mode=IgnoreMode.DOCKER,
            ),
            handler="pre_traffic_check.handler.handler",
            timeout=_CHECK_TIME,
            memory_size=256,
            role=role.without_policy_updates(),
            log_group=self.check_log,
            environment={"VERSION_ARN": alias.version.function_arn, "ALIAS": ALIAS},
        )

    def _role(self, alias: lambda_.Alias, hook: lambda_.Function) -> iam.Role:
        """Make CodeDeploy's role: AWS's managed policy for it, but for this function alone."""
        function_arn = alias.lambda_.function_arn
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            inline_policies={
                "MoveLive": _policy(
                    (
                        ["lambda:GetAlias", "lambda:UpdateAlias"],
                        [function_arn, f"{function_arn}:{ALIAS}"],
                    ),
                    # Of the version before, too: that is where it goes back to.
                    (["lambda:GetProvisionedConcurrencyConfig"], [f"{function_arn}:*"]),
                    (["lambda:InvokeFunction"], [hook.function_arn]),
                    (["cloudwatch:DescribeAlarms"], ["*"]),
                )
            },
        )
        name, _ = Stack.of(self).resolve(function_arn)["Fn::GetAtt"]
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="To see alarms is granted on * in AWS's own policy for CodeDeploy, too: "
                "it is a list. What moves the alias is granted on this one function.",
            ),
            Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::<{name}.Arn>:*]",
                reason="Reads a setting of this one function's versions, some of which this "
                "template does not know.",
            ),
        )
        return role


def _resource(construct: IConstruct) -> CfnResource:
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct} has no resource inside: aws-cdk-lib has changed")
    return resource


def _policy(*statements: tuple[list[str], list[str]]) -> iam.PolicyDocument:
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(actions=actions, resources=resources)
            for actions, resources in statements
        ]
    )
