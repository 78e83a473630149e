"""Writes Prometheus's recording and alert rules from the declarations of the CloudWatch alarms.

    .venv/bin/python -m scripts.prometheus.write_rules

A server of one's own raises the alarms of `prod` that make sense there: those with a fixed limit on
metrics that the server has, too. A test compares the file with the declarations.
"""

import re
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Final

from aws_cdk import App, Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.observability.watch import RUNBOOK, Fixed, Watch, WatchGroup, construct_name
from infra_cdk.runbook import WITH_EVERY_ALARM, every_group
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack
from lambda_src import metrics
from lambda_src.prometheus_names import (
    BUCKETS,
    JOB,
    REQUEST_SECONDS,
    REQUESTS,
    STATUS_LABEL,
    prometheus_name,
    scale,
)

RULES: Final = ROOT / "scripts" / "prometheus" / "rules.yml"
_HEADER: Final = """\
# Written by `.venv/bin/python -m scripts.prometheus.write_rules`. Change the declarations in
# infra_cdk/observability instead.
#
# Each recording rule computes what one CloudWatch alarm watches, over the same period. Each alert
# has the limit of the alarm. "2 of 3 periods" is a subquery whose step is the period: Prometheus
# aligns the steps with the clock, as CloudWatch aligns its periods. A range of one second less than
# three periods contains exactly three steps.
groups:
  - name: etiquette
    interval: 1m
    rules:
"""
_OPERATORS: Final = {
    cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD: "<",
    cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD: "<=",
    cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD: ">",
    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD: ">=",
}
_WITH_VOLUME: Final = re.compile(r"IF\((\w+) >= (\d+), (\w+)(?: / (\w+))?\)")
"""The expressions of `Sources.with_volume`."""
_SERVICE_METRICS: Final = {each.name: each for each in metrics.PREDICTION_METRICS}
_HEARTBEAT: Final = "Heartbeat"
_HEARTBEAT_SUMMARY: Final = "Prometheus cannot read the metrics of the server: it does not run."


class NotOnAServerError(Exception):
    """A server of one's own does not have a metric or a limit of an alarm."""


def rules(groups: Sequence[WatchGroup]) -> str:
    """Render the file of rules.

    Parameters
    ----------
    groups
        What is watched; alarms that make no sense on a server are left out.
    """
    written = []
    for group in groups:
        for watch in group.watches:
            if isinstance(watch, Watch):
                try:
                    written.append("\n".join(_rules_of(watch)))
                except NotOnAServerError:
                    continue
    return _HEADER + "\n".join(written) + "\n"


def _rules_of(watch: Watch) -> Iterator[str]:
    """Yield the lines of an alarm's recording rule and alert.

    Raises
    ------
    NotOnAServerError
        The alarm makes no sense there.
    """
    if not isinstance(watch.limit, Fixed):
        raise NotOnAServerError(f"{watch.name}: Prometheus learns no bands")
    period = watch.metric.period
    record = f"etiquette:{watch.anchor.replace('-', '_')}:{_duration(period)}"
    limit = watch.limit.value * _scale(watch.metric)
    breach = f"{record} {_OPERATORS[watch.limit.comparison]} {limit:g}"
    if watch.periods > 1:
        seconds = watch.periods * period.to_seconds() - 1
        window = f"[{_duration(Duration.seconds(seconds))}:{_duration(period)}]"
        breach = f"count_over_time(({breach}){window}) >= {watch.to_alarm}"
    summary = watch.meaning if watch.name != _HEARTBEAT else _HEARTBEAT_SUMMARY
    first_sentence, *_ = re.split(r"(?<=\.) (?=[A-Z])", summary)
    yield f"      - record: {record}"
    yield f"        expr: {_quoted(_expression(watch))}"
    yield f"      - alert: {construct_name(watch.name)}"
    yield f"        expr: {_quoted(breach)}"
    yield "        labels:"
    yield f"          severity: {watch.severity}"
    yield "        annotations:"
    yield f"          summary: {_quoted(first_sentence)}"
    yield f"          runbook: {RUNBOOK}#{watch.anchor}"


def _expression(watch: Watch) -> str:
    """Translate what an alarm watches into PromQL."""
    if watch.name == _HEARTBEAT:
        up = f'up{{job="{JOB}"}}[{_duration(watch.metric.period)}]'
        return f"max by (job) (max_over_time({up})) or absent_over_time({up}) - 1"
    if isinstance(watch.metric, cloudwatch.Metric):
        return _series(watch.metric)
    found = _WITH_VOLUME.fullmatch(watch.metric.expression)
    if found is None:
        raise NotOnAServerError(f"{watch.name}: {watch.metric.expression} has another form")
    series = {
        name: _series(metric)
        for name, metric in (watch.metric.using_metrics or {}).items()
        if isinstance(metric, cloudwatch.Metric)
    }
    volume, enough, value, divisor = found.groups()
    watched = f"{series[value]} / {series[divisor]}" if divisor else series[value]
    return f"({watched}) and ({series[volume]} >= {enough})"


def _series(metric: cloudwatch.Metric) -> str:
    """Translate a metric with its statistic and period into PromQL."""
    window = f"[{_duration(metric.period)}]"
    if metric.namespace == metrics.NAMESPACE and metric.metric_name in _SERVICE_METRICS:
        declared = _SERVICE_METRICS[metric.metric_name]
        name, selector = prometheus_name(declared), ""
        is_histogram = declared in BUCKETS
    elif metric.namespace == "AWS/ApiGateway" and metric.metric_name == "Latency":
        name, selector, is_histogram = REQUEST_SECONDS, "", True
    elif metric.namespace == "AWS/ApiGateway" and metric.metric_name in ("Count", "4xx", "5xx"):
        status = metric.metric_name
        selector = "" if status == "Count" else f',{STATUS_LABEL}="{status}"'
        name, is_histogram = REQUESTS, False
    else:
        raise NotOnAServerError(f"{metric.namespace} {metric.metric_name} is a metric of AWS")
    statistic = metric.statistic
    selector = f'{{job="{JOB}"{selector}}}'
    if is_histogram and statistic.startswith("p"):
        buckets = f"sum by (service, le) (increase({name}_bucket{selector}{window}))"
        return f"histogram_quantile({int(statistic[1:]) / 100:g}, {buckets})"
    total = f"sum by (service) (increase({name}{selector}{window}))"
    if statistic == "Sum" and not is_histogram:
        return total
    if statistic == "Average" and not is_histogram:
        count = prometheus_name(metrics.PREDICTIONS)
        return f'{total} / sum by (service) (increase({count}{{job="{JOB}"}}{window}))'
    raise NotOnAServerError(f"{statistic} of {metric.metric_name} has no translation")


def _scale(metric: cloudwatch.Metric | cloudwatch.MathExpression) -> float:
    """Return the factor from CloudWatch's unit of a watched metric to Prometheus's unit."""
    if isinstance(metric, cloudwatch.MathExpression):
        # The first metric is what is compared; a share has no unit.
        metric = next(
            each
            for each in (metric.using_metrics or {}).values()
            if isinstance(each, cloudwatch.Metric)
        )
    if metric.metric_name in _SERVICE_METRICS:
        return scale(_SERVICE_METRICS[metric.metric_name])
    return 0.001 if metric.metric_name == "Latency" else 1.0


def _duration(duration: Duration) -> str:
    """Write a duration as Prometheus does, for example `44m59s`."""
    minutes, seconds = divmod(int(duration.to_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = {"h": hours, "m": minutes, "s": seconds}
    return "".join(f"{number}{unit}" for unit, number in parts.items() if number)


def _quoted(text: str) -> str:
    """Quote a text for YAML."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as folder:
        settings = ENVIRONMENTS["prod"](**WITH_EVERY_ALARM)
        stack = EtiquetteStack(App(outdir=folder, analytics_reporting=False), settings=settings)
        RULES.write_text(rules(every_group(stack)), encoding="utf-8")


if __name__ == "__main__":
    main()
