"""What is watched: each metric is declared together with its alarm, graph and runbook entry."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra_cdk.api_function import ApiFunction
from infra_cdk.function import FolderFunction
from infra_cdk.model import HeldOut
from infra_cdk.observability import (
    business,
    event_archive,
    functions,
    outage,
    quality,
    resources,
)
from infra_cdk.observability.heartbeat import Heartbeat
from infra_cdk.observability.queries import SavedQueries
from infra_cdk.observability.sources import Sources
from infra_cdk.observability.topic import AlarmTopics
from infra_cdk.observability.watch import Graph, Severity, Watch, WatchGroup
from infra_cdk.settings import Settings


class Observability(Construct):
    """Alarms that notify two topics, three dashboards and saved log queries.

    The dashboards answer: is it useful, are the tags still right, and is it healthy?

    Every function of the stack that is created before this construct gets its alarms, unless it was
    created without any.

    Attributes
    ----------
    groups
        What is watched, in the order of the runbook.
    page_topic
        The SNS topic of what somebody must look at now.
    ticket_topic
        The SNS topic of what somebody must look at on the next working day.
    topic_key
        The key that encrypts both topics.
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
        access_log: logs.ILogGroup,
        held_out: HeldOut | None,
        report_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        topics = AlarmTopics(
            self, "Topics", name=settings.stack_name, removal_policy=settings.removal_policy
        )
        self.topic_key = topics.key
        self.page_topic = topics.add(Severity.PAGE, settings.alarm_email)
        self.ticket_topic = topics.add(
            Severity.TICKET, settings.ticket_email or settings.alarm_email
        )
        self._alarms = Construct(self, "Alarms")
        self._name = settings.stack_name
        self._outage_causes: list[cloudwatch.IAlarm] = []
        sources = Sources(settings, http_api, api_function, access_log)
        useful = WatchGroup(question="Is it useful?", watches=business.watches(sources))
        right = WatchGroup(
            question="Are the tags still right?", watches=quality.watches(sources, held_out)
        )
        healthy = WatchGroup(
            question="Is it healthy?",
            watches=[
                *resources.watches(sources),
                *event_archive.watches(sources),
                *(
                    watch
                    for function in Stack.of(self).node.find_all()
                    if isinstance(function, FolderFunction) and function.has_alarms
                    for watch in functions.watches(function)
                ),
            ],
        )
        down = WatchGroup(question="Does it work at all?", watches=[outage.SERVICE_DOWN])
        self.groups = (down, useful, right, healthy)
        self.dashboard_urls = {
            "Business": self._dashboard("Business", useful, business.graphs(sources)),
            "Quality": self._dashboard(
                "Quality",
                right,
                quality.graphs(sources),
                note=f"[Report of the last run]({report_url}), a page to download. "
                "docs/watching.md defines the figures.",
            ),
            "Resources": self._dashboard("Resources", healthy, resources.graphs(sources)),
        }
        service_down = outage.SERVICE_DOWN.alarm(self._alarms, self._name, self._outage_causes)
        self._notify(service_down, self.page_topic)
        SavedQueries(
            self,
            "Queries",
            prefix=settings.stack_name,
            function_log=api_function.log_group,
            access_log=access_log,
        )
        if settings.limits.heartbeat_minutes is not None:
            Heartbeat(
                self,
                "Heartbeat",
                alias=api_function.alias,
                minutes=settings.limits.heartbeat_minutes,
            )

    def _notify(self, alarm: cloudwatch.AlarmBase, topic: sns.ITopic) -> None:
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))

    def _dashboard(
        self, name: str, group: WatchGroup, graphs: Sequence[Graph], note: str = ""
    ) -> str:
        """Create a dashboard and the alarms of what it shows; return its URL."""
        watches = [each for each in group.watches if isinstance(each, Watch)]
        for watch in watches:
            alarm = watch.alarm(self._alarms, self._name)
            if watch.severity is Severity.PAGE:
                self._outage_causes.append(alarm)
            else:
                self._notify(alarm, self.ticket_topic)
        dashboard = cloudwatch.Dashboard(self, name, default_interval=Duration.days(1))
        if note:
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=note, width=24, height=2))
        dashboard.add_widgets(*(watch.graph() for watch in watches))
        dashboard.add_widgets(*(graph.graph() for graph in graphs))
        region = Stack.of(self).region
        return (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home"
            f"?region={region}#dashboards/dashboard/{dashboard.dashboard_name}"
        )
