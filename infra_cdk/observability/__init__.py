"""What is watched: each metric is declared together with its alarm, graph and runbook entry."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from infra_cdk.api_function import ApiFunction
from infra_cdk.function import FolderFunction
from infra_cdk.observability import business, functions, resources
from infra_cdk.observability.heartbeat import Heartbeat
from infra_cdk.observability.sources import Sources
from infra_cdk.observability.topic import AlarmTopic
from infra_cdk.observability.watch import Graph, Watch, WatchGroup
from infra_cdk.settings import Settings


class Observability(Construct):
    """Alarms that notify a topic, and two dashboards: one for usefulness, one for health.

    Every function of the stack that is created before this construct gets its alarms, unless it was
    created without any.

    Attributes
    ----------
    groups
        What is watched, in the order of the runbook.
    topic
        The SNS topic that alarms notify. Subscribe to it to receive them.
    dashboard_urls
        Where the AWS console shows the dashboards, by name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        http_api: apigateway.HttpApi,
        api_function: ApiFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = AlarmTopic(self, "Topic", settings=settings).topic
        self._alarms = Construct(self, "Alarms")
        sources = Sources(settings, http_api, api_function)
        useful = WatchGroup(question="Is it useful?", watches=business.watches(sources))
        healthy = WatchGroup(
            question="Is it healthy?",
            watches=[
                *resources.watches(sources),
                *(
                    watch
                    for function in Stack.of(self).node.find_all()
                    if isinstance(function, FolderFunction) and function.has_alarms
                    for watch in functions.watches(function)
                ),
            ],
        )
        self.groups = (useful, healthy)
        self.dashboard_urls = {
            "Business": self._dashboard("Business", useful.watches, business.graphs(sources)),
            "Resources": self._dashboard("Resources", healthy.watches, resources.graphs(sources)),
        }
        if settings.limits.heartbeat_minutes is not None:
            Heartbeat(
                self,
                "Heartbeat",
                alias=api_function.alias,
                minutes=settings.limits.heartbeat_minutes,
            )

    def _dashboard(self, name: str, watches: Sequence[Watch], graphs: Sequence[Graph]) -> str:
        """Create a dashboard and the alarms of what it shows; return its URL."""
        for watch in watches:
            alarm = watch.alarm(self._alarms)
            alarm.add_alarm_action(actions.SnsAction(self.topic))
            alarm.add_ok_action(actions.SnsAction(self.topic))
        dashboard = cloudwatch.Dashboard(self, name, default_interval=Duration.days(1))
        dashboard.add_widgets(*(watch.graph() for watch in watches))
        dashboard.add_widgets(*(graph.graph() for graph in graphs))
        region = Stack.of(self).region
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={region}#dashboards/dashboard/{dashboard.dashboard_name}"
        )
