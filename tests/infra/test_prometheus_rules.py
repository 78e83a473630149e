"""The rules for Prometheus say what the declarations of the CloudWatch alarms say."""

import re

import yaml

from infra_cdk.observability.watch import Fixed, Watch, construct_name
from infra_cdk.runbook import every_group
from infra_cdk.stack import EtiquetteStack
from lambda_src.prometheus_names import BUCKETS, REQUEST_BUCKETS
from scripts.prometheus.write_rules import RULES, rules

MAKE_SENSE_ON_A_SERVER = {
    *("PredictionRate", "Confidence", "UnknownWords", "FeedbackSilence", "Heartbeat"),
    *("ModelLatency", "ApiLatency", "FailedRequests", "ServerErrors", "ClientErrors"),
}


def test_the_file_says_what_the_declarations_say(with_every_alarm: EtiquetteStack) -> None:
    assert RULES.read_text(encoding="utf-8") == rules(every_group(with_every_alarm)), (
        f"{RULES.name} differs from the declarations of the alarms: "
        "run .venv/bin/python -m scripts.prometheus.write_rules"
    )


def test_no_alarm_that_makes_sense_on_a_server_is_missing(with_every_alarm: EtiquetteStack) -> None:
    [group] = yaml.safe_load(rules(every_group(with_every_alarm)))["groups"]
    alerts = {rule["alert"]: rule for rule in group["rules"] if "alert" in rule}
    assert set(alerts) >= MAKE_SENSE_ON_A_SERVER
    declared = {
        construct_name(watch.name): watch
        for each in every_group(with_every_alarm)
        for watch in each.watches
        if isinstance(watch, Watch)
    }
    for name, alert in alerts.items():
        assert alert["labels"]["severity"] == declared[name].severity


def test_prometheus_knows_on_which_side_of_its_limit_a_percentile_lies(
    with_every_alarm: EtiquetteStack,
) -> None:
    """Inside a bucket, `histogram_quantile` only guesses."""
    [group] = yaml.safe_load(rules(every_group(with_every_alarm)))["groups"]
    percentiles = [
        (record["record"], alert["expr"])
        for record, alert in zip(group["rules"][::2], group["rules"][1::2], strict=True)
        if "histogram_quantile" in record["expr"]
    ]
    bounds = {bound for bounds in (*BUCKETS.values(), REQUEST_BUCKETS) for bound in bounds}
    assert len(percentiles) >= 4
    for name, expression in percentiles:
        [limit] = re.findall(rf"{name} [<>]=? ([\d.]+)", expression)
        assert float(limit) in bounds, expression


def test_a_learned_limit_has_no_rule(with_every_alarm: EtiquetteStack) -> None:
    text = RULES.read_text(encoding="utf-8")
    for group in every_group(with_every_alarm):
        for watch in group.watches:
            if isinstance(watch, Watch) and not isinstance(watch.limit, Fixed):
                assert f"alert: {construct_name(watch.name)}\n" not in text
