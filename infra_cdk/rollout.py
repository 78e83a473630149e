"""How `live` moves to a new version: the pre-traffic check, the canary, then all requests."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Acknowledgment, CfnResource, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from infra_cdk.api_function import ALIAS
from infra_cdk.observability.watch import Fixed, Severity, Watch, WatchGroup
from infra_cdk.policies import allow, policy
from infra_cdk.pre_traffic_check import CanaryQuestions, PostTrafficCheck, PreTrafficCheck
from infra_cdk.settings import Settings
from lambda_src import metrics

_CONFIGURATIONS: Final = {
    "canary_5_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "canary_15_minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES,
    "all_at_once": codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
}
_MINUTE: Final = Duration.minutes(1)
_MIN_REQUESTS: Final = 5
"""With fewer requests in a minute, no alarm judges the new version. The canary's own questions give
it about twelve."""
_MAX_FAILED_SHARE: Final = 0.02
"""Of the new version's requests in a minute. If only the canary's own questions arrive, one failure
is more than this. For that reason, two minutes of three must be beyond it."""
_INTRODUCTION: Final = """\
These alarms notify CodeDeploy and not people. While a release is under way, any of them makes
CodeDeploy go back by itself: the deployment fails, `live` points to the same version as before, and
nobody has to hurry. Without a release under way they may be raised, and mean no more than the
alarms above. For each of them, and for a release that failed without an alarm, begin with:

    SINCE=2h
    scripts/releases --environment prod              # which version is live
    log "$(output PreTrafficCheckLogGroup)" Failed    # why the check rejected a version
    log "$(output CanaryQuestionsLogGroup)" questions # what the new version answered in the canary
    log "$(output PostTrafficCheckLogGroup)" requests # how many requests it got in the canary"""


class Rollout(Construct):
    """A CodeDeploy deployment group that moves the alias, and moves it back if an alarm is raised.

    Attributes
    ----------
    watches
        The alarms that make CodeDeploy go back. Each watches the new version alone.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alias: lambda_.Alias,
    ) -> None:
        super().__init__(scope, construct_id)
        watches = self._watches(settings, alias)
        self.watches = WatchGroup(
            question="Is the new release good?", introduction=_INTRODUCTION, watches=watches
        )
        alarms = [watch.alarm(self, settings.stack_name) for watch in watches]
        application = codedeploy.LambdaApplication(self, "Application")
        questions = CanaryQuestions(self, "CanaryQuestions", settings=settings, alias=alias)
        check = PreTrafficCheck(
            self,
            "PreTrafficCheck",
            settings=settings,
            alias=alias,
            application=application,
            questions=questions,
        )
        count = PostTrafficCheck(
            self, "PostTrafficCheck", settings=settings, alias=alias, application=application
        )
        has_canary = settings.rollout != "all_at_once"
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            application=application,
            deployment_group_name=ALIAS,
            alias=alias,
            deployment_config=_CONFIGURATIONS[settings.rollout],
            # An urgent fix must not be stopped by the alarms that it is meant to end.
            alarms=alarms if has_canary else [],
            role=self._role(alias, [check.function, count.function]).without_policy_updates(),
            pre_hook=check.function,
            post_hook=count.function if has_canary else None,
        )
        # All of these name the new version and must exist before the alias moves. The alias names
        # them only in its UpdatePolicy, and AWS does not document that CloudFormation waits for
        # what an UpdatePolicy names.
        for named in (group, check.function, count.function, questions.function, *alarms):
            _resource(alias).add_resource_dependency(_resource(named))

    def _watches(self, settings: Settings, alias: lambda_.Alias) -> list[Watch]:
        requests = _new_version_metric(alias, "Invocations", cloudwatch.Stats.SUM)
        failed_answers = cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metrics.FAILED_ANSWERS.name,
            dimensions_map={
                metrics.SERVICE_DIMENSION: settings.stack_name,
                metrics.VERSION_DIMENSION: alias.version.version,
            },
            statistic=cloudwatch.Stats.SUM,
            period=_MINUTE,
        )
        return [
            Watch(
                name="Release failures",
                severity=Severity.RELEASE,
                metric=_with_requests(
                    "share of failed requests",
                    # `answers` has no value until the first failure. Operators treat what is
                    # missing as 0 ("Using metric math",
                    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
                    # AWS does not say whether FILL does the same for a metric without any value.
                    "(errors + answers) / requests",
                    requests,
                    errors=_new_version_metric(alias, "Errors", cloudwatch.Stats.SUM),
                    answers=failed_answers,
                ),
                limit=Fixed(
                    cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD, _MAX_FAILED_SHARE
                ),
                to_alarm=2,
                periods=3,
                meaning="The new version failed to answer more than one request in fifty, in two "
                "of three minutes: it raised an exception, ran out of time, did not start, or "
                "answered with 5xx. Requests that the version before answered do not count.",
                advice=[
                    "CodeDeploy moves all requests back to the version before.",
                    "The command of API function errors and the saved query `failures` show the "
                    "reason; the name of the log stream contains the version. Fix the release and "
                    "deploy it again.",
                ],
            ),
            Watch(
                name="Release duration",
                severity=Severity.RELEASE,
                metric=_with_requests(
                    "p90",
                    "slow",
                    requests,
                    slow=_new_version_metric(alias, "Duration", cloudwatch.Stats.p(90)),
                ),
                limit=Fixed(
                    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                    settings.timeout_seconds * 1000 / 2,
                ),
                to_alarm=2,
                periods=3,
                meaning="A tenth of the new version's answers took half of the function's time "
                "limit or longer, in two of three minutes.",
                advice=[
                    "CodeDeploy moves all requests back to the version before.",
                    "Is the model or the image much larger, or `memory_mb` lower? Try the release "
                    "on `dev`, then deploy it again.",
                ],
            ),
        ]

    def _role(self, alias: lambda_.Alias, hooks: Sequence[lambda_.Function]) -> iam.Role:
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
                    allow(["lambda:InvokeFunction"], [each.function_arn for each in hooks]),
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


def _new_version_metric(alias: lambda_.Alias, name: str, statistic: str) -> cloudwatch.Metric:
    """Return one of Lambda's metrics of the new version alone, as far as `live` sent it requests.

    Lambda publishes this combination of dimensions for aliases with weights ("Types of metrics for
    Lambda functions", https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
    """
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={
            "FunctionName": alias.lambda_.function_name,
            "Resource": f"{alias.lambda_.function_name}:{ALIAS}",
            "ExecutedVersion": alias.version.version,
        },
        statistic=statistic,
        period=_MINUTE,
    )


def _with_requests(
    label: str, expression: str, requests: cloudwatch.Metric, **using: cloudwatch.Metric
) -> cloudwatch.MathExpression:
    """Compute an expression only for minutes in which the new version got enough requests."""
    return cloudwatch.MathExpression(
        expression=f"IF(requests >= {_MIN_REQUESTS}, {expression})",
        using_metrics={"requests": requests, **using},
        label=label,
        period=_MINUTE,
    )


def _resource(construct: IConstruct) -> CfnResource:
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{construct} has no CfnResource as its default child: adapt infra_cdk/rollout.py to "
            "this version of aws-cdk-lib"
        )
    return resource
