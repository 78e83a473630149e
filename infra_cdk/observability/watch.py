"""The declaration of a metric with its alarm, its graph and its runbook entry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
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

    @property
    def anchor(self) -> str:
        """The anchor of the runbook entry."""
        return self.name.lower().replace(" ", "-")

    def alarm(self, scope: Construct) -> cloudwatch.Alarm:
        """Create the alarm, without any action."""
        name = re.sub(r"\W", "", self.name.title())
        items = "\n".join(f"- {item}" for item in self.advice)
        description = f"{self.meaning}\n\n{items}\n\nRunbook: {RUNBOOK}#{self.anchor}"
        if isinstance(self.limit, Band):
            return cloudwatch.AnomalyDetectionAlarm(
                scope,
                name,
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
            alarm_description=description,
            metric=self.metric,
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
class Graph:
    """Metrics that raise no alarm of their own, but help to explain one."""

    name: str
    metrics: Sequence[cloudwatch.IMetric]

    def graph(self) -> cloudwatch.GraphWidget:
        """Draw the metrics."""
        return cloudwatch.GraphWidget(title=self.name, left=list(self.metrics), width=_WIDTH)


@dataclass(frozen=True, kw_only=True)
class WatchGroup:
    """Watches that answer one question: a section of the runbook."""

    question: str
    """The title of the section."""
    watches: Sequence[Watch]
    introduction: str = ""
    """Markdown, for what the entries have in common."""
