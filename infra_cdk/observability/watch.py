"""The declaration of a metric with its alarm, its graph and its runbook entry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

RUNBOOK: Final = "docs/runbook.md"
_WIDTH: Final = 12
"""The width of a graph: half of a dashboard."""


@dataclass(frozen=True)
class Fixed:
    """A limit that somebody chose."""

    comparison: cloudwatch.ComparisonOperator
    value: float


@dataclass(frozen=True)
class Band:
    """A limit that CloudWatch learns from the metric's values at this hour of other weeks."""

    comparison: cloudwatch.ComparisonOperator
    width: int
    """In standard deviations."""


class Severity(StrEnum):
    """Who learns of an alarm, and how soon they must act."""

    PAGE = "page"
    """The service does not work. The alarm raises `Service down`, which notifies the page topic."""
    TICKET = "ticket"
    """Somebody must look at it, but not at night. The alarm notifies the ticket topic."""
    RELEASE = "release"
    """The alarm notifies CodeDeploy, which takes the release back. No person has to act."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric that raises an alarm, and everything that belongs to the alarm.

    One declaration makes the alarm, the graph and the entry of the runbook. `meaning` and `advice`
    are the text of the entry and, word for word, the alarm's description, which the mail shows.

    The metric must not have a dimension that changes with a release: the metric would be a new one
    afterwards, without any history.
    """

    name: str
    """For example `Prediction rate`: the title of the graph and of the runbook entry."""
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    limit: Fixed | Band
    severity: Severity = Severity.TICKET
    """Who learns of the alarm."""
    to_alarm: int
    """The alarm is raised when so many of the last `periods` periods are beyond the limit."""
    periods: int
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    """By default, a period without traffic raises no alarm."""
    meaning: str
    """One or two sentences that say what is wrong."""
    first_command: str = ""
    """The first shell commands of the entry, which may use the variables and functions of the
    runbook's first section."""
    advice: Sequence[str]
    """What to look at and what to do: one item per cause."""
    beside: Sequence[cloudwatch.IMetric] = ()
    """Metrics that are drawn in the same graph because they help to explain it."""
    hours_of_datapoint: int = 0
    """How many hours a datapoint is about, if these are more than its period."""

    @property
    def anchor(self) -> str:
        """The anchor of the runbook entry."""
        return anchor(self.name)

    @property
    def hours(self) -> int:
        """How many hours before the alarm its cause may have begun, with an hour to read the mail.

        The commands of the runbook look back as far as this.
        """
        evaluated = ceil(self.metric.period.to_seconds() * self.periods / 3600)
        return evaluated + self.hours_of_datapoint + 1

    def alarm(self, scope: Construct, prefix: str) -> cloudwatch.Alarm:
        """Create the alarm, without any action.

        Parameters
        ----------
        scope
            The construct that contains the alarm.
        prefix
            Begins the alarm's name. With the anchor of the runbook entry it makes a name that stays
            the same in every deployment, so that other tools can refer to it.
        """
        name = construct_name(self.name)
        alarm_name = f"{prefix}-{self.anchor}"
        description = describe(self.meaning, self.advice, self.anchor)
        if isinstance(self.limit, Band):
            return cloudwatch.AnomalyDetectionAlarm(
                scope,
                name,
                alarm_name=alarm_name,
                alarm_description=description,
                metric=self.metric,
                comparison_operator=self.limit.comparison,
                std_devs=self.limit.width,
                evaluation_periods=self.periods,
                datapoints_to_alarm=self.to_alarm,
                treat_missing_data=self.missing,
            )
        return cloudwatch.Alarm(
            scope,
            name,
            alarm_name=alarm_name,
            alarm_description=description,
            metric=_without_label(self.metric),
            comparison_operator=self.limit.comparison,
            threshold=self.limit.value,
            evaluation_periods=self.periods,
            datapoints_to_alarm=self.to_alarm,
            treat_missing_data=self.missing,
        )

    def graph(self) -> cloudwatch.GraphWidget:
        """Draw the metric with its limit."""
        if isinstance(self.limit, Band):
            band = cloudwatch.MathExpression(
                expression=f"ANOMALY_DETECTION_BAND(watched, {self.limit.width})",
                using_metrics={"watched": self.metric},
                label="expected",
                period=self.metric.period,
            )
            lines, limits = [self.metric, *self.beside, band], []
        else:
            lines = [self.metric, *self.beside]
            limits = [cloudwatch.HorizontalAnnotation(value=self.limit.value, label="alarm")]
        return cloudwatch.GraphWidget(
            title=self.name, left=lines, left_annotations=limits, width=_WIDTH
        )


@dataclass(frozen=True, kw_only=True)
class Outage:
    """An alarm that is raised while any of some other alarms is.

    An outage raises several alarms. Those notify nobody: people get one page.
    """

    name: str
    """As for `Watch`."""
    meaning: str
    """As for `Watch`."""
    first_command: str
    """As for `Watch`."""
    advice: Sequence[str]
    """As for `Watch`."""
    hours: int
    """As for `Watch`."""
    severity: Severity = Severity.PAGE
    """Who learns of the alarm."""

    @property
    def anchor(self) -> str:
        """The anchor of the runbook entry."""
        return anchor(self.name)

    def alarm(
        self, scope: Construct, prefix: str, causes: Sequence[cloudwatch.IAlarm]
    ) -> cloudwatch.CompositeAlarm:
        """Create the alarm, without any action.

        Parameters
        ----------
        scope, prefix
            As in `Watch.alarm`.
        causes
            The alarms of which any raises this one.
        """
        return cloudwatch.CompositeAlarm(
            scope,
            construct_name(self.name),
            composite_alarm_name=f"{prefix}-{self.anchor}",
            alarm_description=describe(self.meaning, self.advice, self.anchor),
            alarm_rule=cloudwatch.AlarmRule.any_of(
                *(
                    cloudwatch.AlarmRule.from_alarm(each, cloudwatch.AlarmState.ALARM)
                    for each in causes
                )
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Metrics that raise no alarm of their own, but help to explain one."""

    name: str
    metrics: Sequence[cloudwatch.IMetric]

    def graph(self) -> cloudwatch.GraphWidget:
        """Draw the metrics."""
        return cloudwatch.GraphWidget(title=self.name, left=list(self.metrics), width=_WIDTH)


@dataclass(frozen=True, kw_only=True)
class WatchGroup:
    """Alarms that answer one question: a section of the runbook."""

    question: str
    """The title of the section."""
    watches: Sequence[Watch | Outage]
    introduction: str = ""
    """Markdown, for what the entries have in common."""


def anchor(name: str) -> str:
    """Return the anchor of a runbook entry, which also ends the alarm's name.

    Examples
    --------
    >>> anchor("Prediction rate")
    'prediction-rate'
    """
    return name.lower().replace(" ", "-")


def construct_name(name: str) -> str:
    """Return the id of an alarm's construct.

    Examples
    --------
    >>> construct_name("API function errors")
    'ApiFunctionErrors'
    """
    return re.sub(r"\W", "", name.title())


def _without_label(
    metric: cloudwatch.Metric | cloudwatch.MathExpression,
) -> cloudwatch.Metric | cloudwatch.MathExpression:
    """Return a metric without its label, which only a graph shows.

    For a metric with a label, the CDK writes an alarm on an expression, which the emulator's
    CloudFormation does not support.
    """
    if isinstance(metric, cloudwatch.MathExpression):
        return metric
    return cloudwatch.Metric(
        namespace=metric.namespace,
        metric_name=metric.metric_name,
        dimensions_map=metric.dimensions or {},
        statistic=metric.statistic,
        period=metric.period,
    )


def describe(meaning: str, advice: Sequence[str], where: str) -> str:
    """Write the description of an alarm: what it means, what to do, where the runbook has more."""
    items = "\n".join(f"- {item}" for item in advice)
    return f"{meaning}\n\n{items}\n\nRunbook: {RUNBOOK}#{where}"
