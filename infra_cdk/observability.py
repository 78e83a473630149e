"""What is watched: each metric with its alarm and its place on the dashboard, declared together."""

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra_cdk.settings import Settings
from lambda_src import metrics

_PERIOD = Duration.minutes(5)
_COMPARISON = cloudwatch.ComparisonOperator
_STATS = cloudwatch.Stats


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric, the limit beyond which somebody must know, and what that somebody should do."""

    name: str
    title: str
    metric: cloudwatch.Metric
    comparison: cloudwatch.ComparisonOperator
    limit: float
    periods: int
    """So many periods in a row beyond the limit raise the alarm."""
    description: str


def watches(settings: Settings, http_api: apigateway.HttpApi, alias: lambda_.Alias) -> list[Watch]:
    """Everything that raises an alarm.

    None of them uses metric math: the template deploys unchanged where only plain alarms
    are understood.

    Parameters
    ----------
    settings
        Holds the limits.
    http_api, alias
        Whose metrics are watched.

    Returns
    -------
    list of Watch
        In the order in which the dashboard shows them.
    """
    return [
        Watch(
            name="PredictionRate",
            title="Prediction rate: share of questions with at least one tag",
            metric=_prediction_metric(settings, metrics.PREDICTIONS_WITH_TAGS, _STATS.AVERAGE),
            comparison=_COMPARISON.LESS_THAN_THRESHOLD,
            limit=settings.minimum_prediction_rate,
            periods=3,
            description=(
                "Too few questions get a tag: their subject has moved away from the model, or "
                "what is sent is no question. Look at the confidence on the dashboard and at "
                "recent requests; if the questions are genuine, train on newer ones."
            ),
        ),
        Watch(
            name="LatencyP99",
            title="Latency of the API, p99",
            metric=http_api.metric_latency(period=_PERIOD, statistic=_STATS.p(99)),
            comparison=_COMPARISON.GREATER_THAN_THRESHOLD,
            limit=settings.maximum_latency_p99_ms,
            periods=3,
            description=(
                "One request in a hundred is slow. Compare the model's latency on the dashboard: "
                "if that is low, it is cold starts or the load; if it is high, the last release."
            ),
        ),
        Watch(
            name="ServerErrors",
            title="Answers 5xx of the API",
            metric=http_api.metric_server_error(period=_PERIOD, statistic=_STATS.SUM),
            comparison=_COMPARISON.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            limit=1,
            periods=1,
            description=(
                "Callers got an error of ours: see error and functionError in the access log, "
                "then the function's log at that time. After a release, go back to the version "
                "before."
            ),
        ),
        Watch(
            name="FunctionErrors",
            title="Failed invocations of the function",
            metric=alias.metric_errors(period=_PERIOD, statistic=_STATS.SUM),
            comparison=_COMPARISON.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            limit=1,
            periods=1,
            description=(
                "The function raised, ran out of time or did not start: its log says which. A "
                "model that is absent or has another digest is named there in one line."
            ),
        ),
    ]


def _explanations(
    settings: Settings, http_api: apigateway.HttpApi, alias: lambda_.Alias
) -> dict[str, list[cloudwatch.IMetric]]:
    """Graphs that say why a watched metric moved, by title."""

    def prediction(metric: metrics.Metric, *stats: str) -> list[cloudwatch.IMetric]:
        return [_prediction_metric(settings, metric, stat).with_(label=stat) for stat in stats]

    return {
        "Predictions": prediction(metrics.PREDICTIONS, _STATS.SUM),
        "Tags per prediction": prediction(metrics.TAGS_PER_PREDICTION, _STATS.AVERAGE),
        "Confidence of the best tag": prediction(
            metrics.TOP_CONFIDENCE, _STATS.p(10), _STATS.p(50), _STATS.p(90)
        ),
        "Latency of the model, ms": prediction(
            metrics.MODEL_LATENCY, _STATS.p(50), _STATS.p(95), _STATS.p(99)
        ),
        "Requests to the API": [
            http_api.metric_count(period=_PERIOD, statistic=_STATS.SUM),
            http_api.metric_client_error(period=_PERIOD, statistic=_STATS.SUM),
        ],
        "The function: invocations and throttles": [
            alias.metric_invocations(period=_PERIOD),
            alias.metric_throttles(period=_PERIOD),
        ],
    }


def _prediction_metric(settings: Settings, metric: metrics.Metric, stat: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=metrics.NAMESPACE,
        metric_name=metric.name,
        dimensions_map={metrics.SERVICE_DIMENSION: settings.stack_name},
        statistic=stat,
        period=_PERIOD,
    )


class Observability(Construct):
    """Alarms that reach a topic, and a dashboard that shows what they watch and why it moved.

    Attributes
    ----------
    topic
        Where alarms are sent; subscribe to it to hear them.
    dashboard_url
        The dashboard in the AWS console.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        http_api: apigateway.HttpApi,
        alias: lambda_.Alias,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="Etiquette's alarms", enforce_ssl=True)
        if settings.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        watched = [self._watch(watch) for watch in watches(settings, http_api, alias)]
        explained = [
            cloudwatch.GraphWidget(title=title, left=graphed, width=12)
            for title, graphed in _explanations(settings, http_api, alias).items()
        ]
        dashboard = cloudwatch.Dashboard(self, "Dashboard", default_interval=Duration.days(1))
        dashboard.add_widgets(*watched, *explained)
        stack = Stack.of(self)
        self.dashboard_url = (
            f"https://{stack.region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={stack.region}#dashboards/dashboard/{dashboard.dashboard_name}"
        )

    def _watch(self, watch: Watch) -> cloudwatch.GraphWidget:
        alarm = cloudwatch.Alarm(
            self,
            watch.name,
            alarm_description=watch.description,
            metric=watch.metric,
            comparison_operator=watch.comparison,
            threshold=watch.limit,
            evaluation_periods=watch.periods,
            # No traffic is no reason to wake anybody.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        return cloudwatch.GraphWidget(
            title=watch.title,
            left=[watch.metric],
            left_annotations=[alarm.to_annotation()],
            width=12,
        )
