"""The declaration: a metric, its alarm, its graph and what to do, in one place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

RUNBOOK: Final = "docs/runbook.md"
_WIDTH: Final = 12
"""Of a graph: half of a dashboard."""


@dataclass(frozen=True)
class Fixed:
    """A limit that somebody chose."""

    comparison: cloudwatch.ComparisonOperator
    value: float


@dataclass(frozen=True)
class Band:
    """A limit that CloudWatch learns: how a metric went by hour and by weekday until now."""

    comparison: cloudwatch.ComparisonOperator
    width: int
    """In standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric, the limit beyond which somebody must know, and what that somebody should do.

    An alarmed metric has no dimension that a release changes: it would be another metric
    afterwards, without a past.
    """

    name: str
    """In words, such as `Prediction rate`: the graph, the alarm and the runbook's entry."""
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    limit: Fixed | Band
    to_alarm: int
    periods: int
    """So many (`to_alarm`) of the last so many periods beyond the limit raise the alarm."""
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    """By default no traffic is no reason to wake anybody."""
    meaning: str
    look: str
    act: str
    beside: Sequence[cloudwatch.IMetric] = ()
    """Drawn in the same graph, to explain."""

    @property
    def entry(self) -> str:
        """The runbook's entry, as a link."""
        return f"{RUNBOOK}#{self.name.lower().replace(' ', '-')}"

    def alarm(self, scope: Construct) -> cloudwatch.Alarm:
        """Make the alarm; whoever calls says whom it tells."""
        name = re.sub(r"\W", "", self.name.title())
        description = f"{self.meaning} LOOK: {self.look} DO: {self.act} RUNBOOK: {self.entry}"
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
    """Metrics that raise no alarm, and say why one was raised."""

    name: str
    metrics: Sequence[cloudwatch.IMetric]

    def graph(self) -> cloudwatch.GraphWidget:
        """Draw them."""
        return cloudwatch.GraphWidget(title=self.name, left=list(self.metrics), width=_WIDTH)
