"""The metrics that alarms and graphs use: the service's own, Lambda's and API Gateway's."""

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from infra_cdk.api_function import ApiFunction
from infra_cdk.retraining import machine_arn
from infra_cdk.settings import Settings
from lambda_src import metrics


@dataclass(frozen=True)
class Sources:
    """The metrics of one deployment.

    Attributes
    ----------
    settings
        With the limits, and the name that the service's own metrics carry as a dimension.
    http_api
        The API that callers use.
    api_function
        The function behind the API.
    access_log
        The log of requests and answers.
    """

    settings: Settings
    http_api: apigateway.HttpApi
    api_function: ApiFunction
    access_log: logs.ILogGroup

    def service(
        self, metric: metrics.Metric, statistic: str, period: Duration
    ) -> cloudwatch.Metric:
        """Return a metric that the service itself writes into its log."""
        return cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metric.name,
            dimensions_map={metrics.SERVICE_DIMENSION: self.settings.stack_name},
            statistic=statistic,
            period=period,
            label=f"{metric.name} {statistic}",
        )

    def api(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Return one of API Gateway's metrics."""
        return self.http_api.metric(
            name, statistic=statistic, period=period, label=f"{name} {statistic}"
        )

    def concurrency(self, period: Duration) -> cloudwatch.Metric:
        """Return how many copies ran at once. Lambda counts them by function, not by alias."""
        return self.api_function.function.metric(
            "ConcurrentExecutions", statistic="Maximum", period=period, label="at once"
        )

    def account_concurrency(self, period: Duration) -> cloudwatch.Metric:
        """Return how much of the account's concurrency is claimed, by all functions of the region.

        What is reserved for a function counts as claimed ("Monitoring concurrency",
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html).
        """
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="ClaimedAccountConcurrency",
            statistic="Maximum",
            period=period,
            label="claimed",
        )

    def log_bytes(self, group: logs.ILogGroup, period: Duration) -> cloudwatch.Metric:
        """Return how many bytes a log group received, which is what CloudWatch Logs charges for."""
        return cloudwatch.Metric(
            namespace="AWS/Logs",
            metric_name="IncomingBytes",
            dimensions_map={"LogGroupName": group.log_group_name},
            statistic="Sum",
            period=period,
        )

    def retraining(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Return one of Step Functions' metrics of the state machine that retrains."""
        arn = machine_arn(Stack.of(self.http_api), self.settings.stack_name)
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": arn},
            statistic=statistic,
            period=period,
            label=name,
        )

    def with_volume(
        self, label: str, expression: str, volume: str, **using: cloudwatch.Metric
    ) -> cloudwatch.MathExpression:
        """Compute an expression only for periods with enough requests.

        A few odd requests in a quiet night then raise no alarm. CloudWatch's own setting for
        percentiles of few samples is no replacement: it does not apply to averages, it requires
        1000 requests for p99, and AWS does not document what happens to such a period when an alarm
        looks further back for missing ones.

        Parameters
        ----------
        label
            The name of the result in the graph.
        expression
            In CloudWatch's metric math.
        volume
            The id of the metric that counts the requests.
        **using
            The metrics, by id.
        """
        enough = self.settings.limits.minimum_volume
        return cloudwatch.MathExpression(
            expression=f"IF({volume} >= {enough}, {expression})",
            using_metrics=using,
            label=label,
            period=next(iter(using.values())).period,
        )
