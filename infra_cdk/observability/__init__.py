"""What is watched: each metric with its alarm, its graph and its advice, declared together."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra_cdk.observability import business, resources
from infra_cdk.observability.heartbeat import Heartbeat
from infra_cdk.observability.sources import Sources
from infra_cdk.observability.topic import AlarmTopic
from infra_cdk.observability.watch import Graph, Watch
from infra_cdk.settings import Settings


class Observability(Construct):
    """Alarms that reach a topic, and two dashboards: whether it is useful, whether it is healthy.

    Attributes
    ----------
    topic
        Where alarms are sent; subscribe to it to hear them.
    dashboard_urls
        The dashboards in the AWS console, by name.
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
        self.topic = AlarmTopic(self, "Topic", settings=settings).topic
        self._alarms = Construct(self, "Alarms")
        sources = Sources(settings, http_api, alias)
        self.dashboard_urls = {
            "Business": self._dashboard(
                "Business", business.watches(sources), business.graphs(sources)
            ),
            "Resources": self._dashboard(
                "Resources", resources.watches(sources), resources.graphs(sources)
            ),
        }
        if settings.limits.heartbeat_minutes is not None:
            Heartbeat(self, "Heartbeat", alias=alias, minutes=settings.limits.heartbeat_minutes)

    def _dashboard(self, name: str, watches: Sequence[Watch], graphs: Sequence[Graph]) -> str:
        """Make a dashboard and the alarms of what it shows; return where it is."""
        for watch in watches:
            alarm = watch.alarm(self._alarms)
            alarm.add_alarm_action(actions.SnsAction(self.topic))
            alarm.add_ok_action(actions.SnsAction(self.topic))
        dashboard = cloudwatch.Dashboard(self, name, default_interval=Duration.days(1))
        dashboard.add_widgets(*(watch.graph() for watch in watches))
        dashboard.add_widgets(*(explaining.graph() for explaining in graphs))
        region = Stack.of(self).region
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={region}#dashboards/dashboard/{dashboard.dashboard_name}"
        )
