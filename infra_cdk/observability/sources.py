"""Where figures come from: the service's own metrics, the function's, the API's."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from infra_cdk.settings import Settings
from lambda_src import metrics


@dataclass(frozen=True)
class Sources:
    """Gives metrics of one deployment.

    Attributes
    ----------
    settings
        With the limits and the name that the service's metrics carry.
    http_api, alias
        Whose metrics are meant.
    """

    settings: Settings
    http_api: apigateway.HttpApi
    alias: lambda_.Alias

    def service(
        self, metric: metrics.Metric, statistic: str, period: Duration
    ) -> cloudwatch.Metric:
        """Give a metric that the service itself writes into its log."""
        return cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=metric.name,
            dimensions_map={metrics.SERVICE_DIMENSION: self.settings.stack_name},
            statistic=statistic,
            period=period,
            label=f"{metric.name} {statistic}",
        )

    def function(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Give a metric of Lambda's, of what goes through `live`."""
        return self.alias.metric(
            name, statistic=statistic, period=period, label=f"{name} {statistic}"
        )

    def api(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """Give a metric of API Gateway's."""
        return self.http_api.metric(
            name, statistic=statistic, period=period, label=f"{name} {statistic}"
        )

    def concurrency(self, period: Duration) -> cloudwatch.Metric:
        """Give how many copies ran at once: Lambda counts them by function, not by alias."""
        return self.alias.version.lambda_.metric(
            "ConcurrentExecutions", statistic="Maximum", period=period, label="at once"
        )

    def with_volume(
        self, label: str, expression: str, volume: str, **using: cloudwatch.Metric
    ) -> cloudwatch.MathExpression:
        """Compute only for periods with enough requests, so that a quiet night raises nothing.

        CloudWatch's own setting for percentiles of few samples does not do: it says nothing of
        averages, asks for 1000 requests for p99, and does not say what becomes of such a period
        when an alarm looks back for missing ones.

        Parameters
        ----------
        label
            What the result is called in the graph.
        expression
            In CloudWatch's metric math.
        volume
            The id of the metric that counts.
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
