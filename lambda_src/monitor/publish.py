"""The metrics that a run of the monitor publishes, as a line in its log (EMF)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.metrics import EphemeralMetrics

from lambda_src import metrics
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.run import Outcome

_AUDIT_DAYS: Final = 3
"""An audit may fail on a day without harm: the next one asks about other questions."""


def publish(outcome: Outcome, service: str) -> None:
    """Write one metrics line about a run.

    The time of each figure is now, although it is about the days before: CloudWatch refuses
    datapoints that are older than two weeks, and counts a datapoint twice that is sent again.

    Parameters
    ----------
    outcome : Outcome
        What the run found.
    service : str
        The name of the deployment, which is a dimension of every metric.
    """
    written = EphemeralMetrics(namespace=metrics.NAMESPACE, service=service)
    for metric, value in values(outcome).items():
        written.add_metric(metric.name, metric.unit, value)
    written.flush_metrics()


def values(outcome: Outcome) -> Mapping[metrics.Metric, float]:
    """Return the values to publish. A figure without enough data is left out.

    Parameters
    ----------
    outcome : Outcome
        What the run found.
    """
    today = _today(outcome)
    found: dict[metrics.Metric, float] = {
        metrics.MONITOR_RUNS: 1,
        metrics.EVENTS_SET_ASIDE: today.get("set_aside", 0),
        metrics.FEEDBACK_WITHOUT_PREDICTION: today.get("feedback", {}).get("without_prediction", 0),
        metrics.AUDITED_QUESTIONS: _audited_questions(outcome),
    }
    for name, metric in metrics.WINDOW_METRICS.items():
        figure = outcome.figures.get(name)
        if figure is not None and figure.value is not None:
            found[metric] = figure.value
    for kind, metric in metrics.DRIFT_METRICS.items():
        of_kind = [each for each in outcome.findings if each.kind == kind and _can_page(each)]
        if any(each.status != "not enough data" for each in of_kind):
            found[metric] = sum(each.pages for each in of_kind)
    return found


def _can_page(finding: Finding) -> bool:
    """Return whether a finding would raise an alarm if it were drift; see `Finding.pages`."""
    return replace(finding, status="drift").pages


def _audited_questions(outcome: Outcome) -> int:
    first = str(outcome.today - timedelta(days=_AUDIT_DAYS - 1))
    return sum(
        audit["questions"]
        for day in outcome.days
        if first <= day["day"] <= str(outcome.today)
        for audit in day["audits"].values()
    )


def _today(outcome: Outcome) -> Mapping[str, Any]:
    days = [day for day in outcome.days if day["day"] == str(outcome.today)]
    return days[0] if days else {}
