"""How `live` moves to a new version: the pre-traffic check, the canary, then all requests."""

from typing import Final

from aws_cdk import Acknowledgment, CfnResource, Duration, Stack, Validations
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from infra_cdk.api_function import ALIAS
from infra_cdk.observability.watch import Fixed, Watch, WatchGroup
from infra_cdk.policies import allow, policy
from infra_cdk.pre_traffic_check import PreTrafficCheck
from infra_cdk.settings import Settings

_CONFIGURATIONS: Final = {
    "canary_5_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "canary_15_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES,
    "all_at_once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
}
_MINUTE: Final = Duration.minutes(1)
_INTRODUCTION: Final = """\
These alarms notify CodeDeploy and not people. While a release is under way, any of them makes
CodeDeploy go back by itself: the deployment fails, `live` points to the same version as before, and
nobody has to hurry. Without a release under way they may be raised, and mean no more than the
alarms above. For each of them, and for a release that failed without an alarm, begin with:

    scripts/releases --environment prod              # which version is live
    log "$(output PreTrafficCheckLogGroup)" Failed   # why the check rejected a version"""


class Rollout(Construct):
    """A CodeDeploy deployment group that moves the alias, and moves it back if an alarm is raised.

    Attributes
    ----------
    watches
        The alarms that make CodeDeploy go back. Each watches the new version alone, except the one
        that watches the API.
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
        self.watches = WatchGroup(
            question="Is the new release good?",
            introduction=_INTRODUCTION,
            watches=self._watches(settings, alias, http_api),
        )
        alarms = [watch.alarm(self) for watch in self.watches.watches]
        application = codedeploy.LambdaApplication(self, "Application")
        check = PreTrafficCheck(
            self, "PreTrafficCheck", settings=settings, alias=alias, application=application
        )
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            application=application,
            deployment_group_name=ALIAS,
            alias=alias,
            deployment_config=_CONFIGURATIONS[settings.rollout],
            # An urgent fix must not be stopped by the alarms that it is meant to end.
            alarms=[] if settings.rollout == "all_at_once" else alarms,
            role=self._role(alias, check.function).without_policy_updates(),
            pre_hook=check.function,
        )
        # All of these name the new version and must exist before the alias moves. The alias names
        # them only in its UpdatePolicy, and AWS does not document that CloudFormation waits for
        # what an UpdatePolicy names.
        for named in (group, check.function, *alarms):
            _resource(alias).add_resource_dependency(_resource(named))

    def _watches(
        self, settings: Settings, alias: lambda_.Alias, http_api: apigateway.HttpApi
    ) -> list[Watch]:
        new_version = {
            "FunctionName": alias.lambda_.function_name,
            "Resource": f"{alias.lambda_.function_name}:{ALIAS}",
            "ExecutedVersion": alias.version.version,
        }

        def new_version_metric(name: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name=name,
                dimensions_map=new_version,
                statistic=statistic,
                period=_MINUTE,
            )

        at_least = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        return [
            Watch(
                name="Release errors",
                metric=new_version_metric("Errors", cloudwatch.Stats.SUM),
                limit=Fixed(at_least, 1),
                to_alarm=1,
                periods=1,
                meaning="The new version raised an exception, ran out of time or did not start.",
                advice=[
                    "CodeDeploy moves all requests back to the version before.",
                    "The command of API function errors shows the reason; the name of the log "
                    "stream contains the version. Fix the release and deploy it again.",
                ],
            ),
            Watch(
                name="Release duration",
                metric=new_version_metric("Duration", cloudwatch.Stats.p(90)),
                limit=Fixed(at_least, settings.timeout_seconds * 1000 / 2),
                to_alarm=1,
                periods=1,
                meaning="A tenth of the new version's answers took half of the function's time "
                "limit or longer.",
                advice=[
                    "CodeDeploy moves all requests back to the version before.",
                    "Is the model or the image much larger, or `memory_mb` lower? Try the release "
                    "on `dev`, then deploy it again.",
                ],
            ),
            Watch(
                name="Release answers",
                metric=http_api.metric_server_error(period=_MINUTE, statistic=cloudwatch.Stats.SUM),
                limit=Fixed(at_least, 1),
                to_alarm=1,
                periods=1,
                meaning="A caller got a 5xx answer from the new version or from the one before it.",
                advice=[
                    "During a release, CodeDeploy moves all requests back to the version before.",
                    "The commands of Server errors show the reason. If the version before caused "
                    "it, fix that first: otherwise CodeDeploy stops every release. An urgent fix "
                    "can be deployed with `-c rollout=all_at_once`.",
                    "Without a release under way, only the alarm Server errors counts.",
                ],
            ),
        ]

    def _role(self, alias: lambda_.Alias, check: lambda_.Function) -> iam.Role:
        """Make CodeDeploy's role: AWS's managed policy for it, reduced to this function."""
        function_arn = alias.lambda_.function_arn
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            inline_policies={
                "MoveLive": policy(
                    allow(
                        ["lambda:GetAlias", "lambda:UpdateAlias"],
                        [function_arn, f"{function_arn}:{ALIAS}"],
                    ),
                    # This includes the version before, which CodeDeploy goes back to.
                    allow(["lambda:GetProvisionedConcurrencyConfig"], [f"{function_arn}:*"]),
                    allow(["lambda:InvokeFunction"], [check.function_arn]),
                    allow(["cloudwatch:DescribeAlarms"], ["*"]),
                )
            },
        )
        name, _ = Stack.of(self).resolve(function_arn)["Fn::GetAtt"]
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="cloudwatch:DescribeAlarms supports no narrower resource; AWS's own policy "
                "for CodeDeploy grants it on *, too. The permissions that move the alias name this "
                "one function.",
            ),
            Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[Resource::<{name}.Arn>:*]",
                reason="CodeDeploy reads a setting of this function's versions. The template does "
                "not know the versions of earlier deployments.",
            ),
        )
        return role


def _resource(construct: IConstruct) -> CfnResource:
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{construct} has no CfnResource as its default child: adapt infra_cdk/rollout.py to "
            "this version of aws-cdk-lib"
        )
    return resource
