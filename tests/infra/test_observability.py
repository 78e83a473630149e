"""What is watched, who is notified, and that no metric lacks its graph, alarm, entry or drill."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra_cdk.api_function import ApiFunction
from infra_cdk.function import FolderFunction
from infra_cdk.http_front import ACCESS_LOG_FORMAT
from infra_cdk.limits import Limits
from infra_cdk.observability import functions
from infra_cdk.runbook import MARK, WITH_EVERY_ALARM, every_group, with_entries
from infra_cdk.settings import ENVIRONMENTS, ROOT
from infra_cdk.stack import EtiquetteStack
from lambda_src import metrics
from tests.infra.synthesis import COMBINATIONS, Synthesize, Synthesized
from tests.support.cloudwatch.alarms import Alarm
from tests.support.cloudwatch.templates import Resolver
from tests.system.drills.monitored_weeks import MONITOR_ALARMS
from tests.system.drills.table import DRILLS

RUNBOOK = ROOT / "docs" / "runbook.md"
TOPIC = "AWS::SNS::Topic"
QUERIED_FIELDS = {
    "kind",
    "place",
    "correlation_id",
    "function_request_id",
    "model_version",
}
"""The fields of the function's log lines that the saved queries use, besides `EVENT_FIELDS`."""
QUERY_LANGUAGE = {
    *("fields", "filter", "stats", "sort", "limit", "parse", "desc", "asc", "by", "as", "or"),
    *("like", "count", "avg", "pct", "max", "min", "coalesce", "ispresent"),
}
EVENT_FIELDS = {"event_type", "top_confidence", "latency_ms"}
"""The fields of the function's events (lambda_src/api/telemetry.py) that the runbook uses."""


@pytest.fixture(scope="module")
def prod(synthesize: Synthesize) -> Synthesized:
    return synthesize("prod", **WITH_EVERY_ALARM)


def resources(stack: Synthesized) -> dict[str, Any]:
    return dict(stack.template.to_json()["Resources"])


def of_kind(stack: Synthesized, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources(stack).items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def all_alarms(stack: Synthesized) -> list[Alarm]:
    """Read the alarms as CloudWatch does: what it refuses raises `AlarmError`."""
    resolver = Resolver(resources(stack))
    found = of_kind(stack, "AWS::CloudWatch::Alarm")
    return [Alarm.from_template(name, properties, resolver) for name, properties in found]


def alarms(stack: Synthesized) -> list[Alarm]:
    """The alarms that notify people. Those of a release notify CodeDeploy (test_rollout.py)."""
    return [alarm for alarm in all_alarms(stack) if alarm.name.startswith("Observability")]


def dashboards(stack: Synthesized) -> dict[str, str]:
    """The bodies of the dashboards as text, by their names."""
    resolver = Resolver(resources(stack))
    return {
        re.sub(r"^Observability|[0-9A-F]{8}$", "", name): resolver.resolve(
            properties["DashboardBody"]
        )
        for name, properties in of_kind(stack, "AWS::CloudWatch::Dashboard")
    }


def entry(alarm: Alarm) -> str:
    return entry_of(alarm.description)


def entry_of(description: str) -> str:
    (anchor,) = re.findall(r"\n\nRunbook: docs/runbook\.md#([a-z-]+)$", description)
    return str(anchor)


def test_the_runbook_says_what_the_declarations_say(
    prod: Synthesized, with_every_alarm: EtiquetteStack
) -> None:
    page = RUNBOOK.read_text(encoding="utf-8")
    assert page == with_entries(page, every_group(with_every_alarm)), (
        "docs/runbook.md differs from the declarations of the alarms: "
        "run .venv/bin/python -m infra_cdk.runbook"
    )
    headings = re.findall(r"^### (.+)$", page, flags=re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    ((_, down),) = of_kind(prod, "AWS::CloudWatch::CompositeAlarm")
    named = [entry(alarm) for alarm in all_alarms(prod)] + [entry_of(down["AlarmDescription"])]
    assert sorted(anchors) == sorted([*named, "public-probe"])


def test_every_alarm_has_a_drill_and_every_drill_an_alarm(
    prod: Synthesized, with_every_alarm: EtiquetteStack
) -> None:
    """The alarms that every function has come from one declaration: one drill of each is enough."""
    every = {entry(alarm) for alarm in all_alarms(prod)} | {"service-down", "public-probe"}
    of_functions = {
        watch.anchor
        for function in with_every_alarm.node.find_all()
        if isinstance(function, FolderFunction) and function.has_alarms
        for watch in functions.watches(function)
        if not isinstance(function, ApiFunction)
    }
    drilled = {drill.alarm for drill in DRILLS} | MONITOR_ALARMS
    missing = every - of_functions - drilled
    assert not missing, f"add a drill that raises {missing} to tests/system/drills/table.py"
    assert drilled <= every, "tests/system/drills/table.py has a drill of an alarm that is gone"


def test_the_commands_of_the_runbook_use_outputs_and_fields_that_exist(prod: Synthesized) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    outputs = set(re.findall(r"output ([A-Z]\w+)", text))
    assert outputs <= set(prod.template.to_json()["Outputs"])
    assert len(outputs) > 4
    fields = set(re.findall(r"\$\.(\w+)", text)) | set(re.findall(r'"(\w+)": "\[', text))
    assert fields <= set(json.loads(ACCESS_LOG_FORMAT)) | EVENT_FIELDS
    # Without it, the scripts act on dev.
    for command in re.findall(r"scripts/(?:releases|rollback)\b[^`]*", text):
        assert "--environment prod" in command
    for group in re.split(r"^## ", text.partition(MARK)[2], flags=re.MULTILINE)[1:-1]:
        for each in re.split(r"^### ", group, flags=re.MULTILINE)[1:]:
            assert re.search(r"\n\n    \S", each), f"{each.splitlines()[0]} has no first command"


@pytest.mark.parametrize("environment", ["dev", "prod", "emulator"])
def test_cloudwatch_accepts_every_alarm_and_its_description_says_what_to_do(
    synthesize: Synthesize, environment: str
) -> None:
    stack = synthesize(environment, alarm_email="operator@example.org")
    found = alarms(stack)
    assert len({entry(alarm) for alarm in found}) == len(found) > 10
    for alarm in all_alarms(stack):
        assert re.fullmatch(r".+\.\n\n(- .+\.\n)+\nRunbook: \S+", alarm.description)


def test_only_an_outage_pages_and_the_alarms_behind_it_notify_nobody(prod: Synthesized) -> None:
    topics = {properties["DisplayName"]: name for name, properties in of_kind(prod, TOPIC)}
    page, ticket = topics["Pages of etiquette-prod"], topics["Tickets of etiquette-prod"]
    ((_, down),) = of_kind(prod, "AWS::CloudWatch::CompositeAlarm")
    assert down["AlarmActions"] == down["OKActions"] == [{"Ref": page}]
    silent = set()
    for name, properties in of_kind(prod, "AWS::CloudWatch::Alarm"):
        if "AlarmActions" in properties:
            assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": ticket}]
        elif not name.startswith("Rollout"):
            silent.add(name)
    rule = Resolver(resources(prod)).resolve(down["AlarmRule"])
    assert set(re.findall(r'ALARM\("?(\w+?)(?:\.Arn)?"?\)', rule)) == silent
    assert len(silent) == 2


def test_tickets_may_go_to_another_address(synthesize: Synthesize) -> None:
    stack = synthesize("prod", alarm_email="pager@example.org", ticket_email="team@example.org")
    addresses = {
        properties["TopicArn"]["Ref"].removeprefix("ObservabilityTopics")[:4]: properties[
            "Endpoint"
        ]
        for _, properties in of_kind(stack, "AWS::SNS::Subscription")
    }
    assert addresses == {"Page": "pager@example.org", "Tick": "team@example.org"}


def test_the_names_of_alarms_stay_the_same(prod: Synthesized) -> None:
    """Other tools refer to them."""
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    for _, properties in (each for kind in kinds for each in of_kind(prod, kind)):
        where = entry_of(properties["AlarmDescription"])
        assert properties["AlarmName"] == f"etiquette-prod-{where}"


def test_saved_queries_name_fields_that_the_logs_have(prod: Synthesized) -> None:
    queries = {
        properties["Name"]: properties
        for _, properties in of_kind(prod, "AWS::Logs::QueryDefinition")
    }
    assert {name.partition("/")[2] for name in queries} == {
        "slowest",
        "failures",
        "by-version",
        "by-route-and-status",
        "by-request-id",
    }
    assert {name.partition("/")[0] for name in queries} == {"etiquette-prod"}
    known = set(json.loads(ACCESS_LOG_FORMAT)) | EVENT_FIELDS | QUERIED_FIELDS
    for properties in queries.values():
        text = re.sub(r"/(?:\\.|[^/\n])*/|\"[^\"]*\"", "", properties["QueryString"])
        words = set(re.findall(r"(?<![@\w.])[a-z]\w*", text))
        assert words - QUERY_LANGUAGE - named_in(text) <= known
        assert properties["LogGroupNames"]


def named_in(query: str) -> set[str]:
    """The names that a query itself gives to its columns."""
    return set(re.findall(r"\bas (\w+)", query)) | {"version"}


def test_every_metric_of_the_service_is_in_a_graph(prod: Synthesized) -> None:
    shown = "".join(dashboards(prod).values())
    published = {metric.name for metric in metrics.all_metrics()}
    missing = [name for name in sorted(published) if not re.search(rf"\b{name}\b", shown)]
    assert not missing, (
        f"no graph shows {missing}: declare a Watch or a Graph in "
        "infra_cdk/observability/business.py or resources.py"
    )


def test_every_alarm_has_one_graph_on_one_dashboard(prod: Synthesized) -> None:
    bodies = dashboards(prod)
    assert set(bodies) == {"Business", "Quality", "Resources"}
    titles = {
        name: [
            widget["properties"]["title"]
            for widget in json.loads(body)["widgets"]
            if widget["type"] == "metric"
        ]
        for name, body in bodies.items()
    }
    drawn = [title.lower().replace(" ", "-") for each in titles.values() for title in each]
    for alarm in alarms(prod):
        assert drawn.count(entry(alarm)) == 1
        for metric, _ in alarm.metrics.values():
            assert f'"{metric.name}"' in "".join(bodies.values())
    assert len(drawn) == len(set(drawn))


def test_alarmed_metrics_outlive_a_release(prod: Synthesized) -> None:
    """Their dimensions name the deployment, the function, its alias or the API, but no version."""
    for alarm in alarms(prod):
        for metric, _ in alarm.metrics.values():
            dimensions = dict(metric.dimensions)
            assert set(dimensions) in (
                {metrics.SERVICE_DIMENSION},
                {"FunctionName"},
                {"FunctionName", "Resource"},
                {"ApiId"},
                {"LogGroupName"},
                {"CertificateArn"},
                {"StateMachineArn"},
                set(),  # of the whole account
            )
            assert dimensions.get("Resource", ":live").endswith(":live")
            assert dimensions.get(metrics.SERVICE_DIMENSION, "etiquette-prod") == "etiquette-prod"


def test_the_function_writes_the_dimension_that_is_watched(prod: Synthesized) -> None:
    function = prod.only("AWS::Lambda::Function", "Function")["Properties"]
    assert function["Environment"]["Variables"]["ETIQUETTE_SERVICE"] == "etiquette-prod"


def test_shares_and_percentiles_need_enough_requests(prod: Synthesized) -> None:
    limit = ENVIRONMENTS["prod"](alarm_email="operator@example.org").limits.minimum_volume
    for alarm in alarms(prod):
        statistics = {query.statistic for query in alarm.metrics.values()}
        divides = any("/" in expression for expression in alarm.expressions.values())
        if divides or any(re.fullmatch(r"p\d+|Average", each) for each in statistics):
            assert any(f">= {limit}," in text for text in alarm.expressions.values()), alarm.name


def test_missing_data_raises_only_the_alarms_of_silence(prod: Synthesized) -> None:
    treatments = {entry(alarm): alarm.missing.value for alarm in alarms(prod)}
    assert treatments.pop("heartbeat") == treatments.pop("monitor-silent") == "breaching"
    # Too little data must not look as if all were well.
    quality = {treatments.pop(name) for name in MONITOR_ALARMS & set(treatments)}
    assert quality == {"missing"}
    assert set(treatments.values()) == {"notBreaching"}


def test_the_quality_dashboard_links_the_report(prod: Synthesized) -> None:
    (body,) = (body for name, body in dashboards(prod).items() if name == "Quality")
    (note,) = (each for each in json.loads(body)["widgets"] if each["type"] == "text")
    assert "prefix=reports/latest.html" in note["properties"]["markdown"]


def test_the_alarm_and_the_monitor_have_the_same_limit_of_the_audit(prod: Synthesized) -> None:
    (alarm,) = (each for each in alarms(prod) if entry(each) == "audit-jaccard")
    variables = prod.only("AWS::Lambda::Function", "Monitor")["Properties"]["Environment"]
    assert float(variables["Variables"]["ETIQUETTE_MIN_AUDIT_JACCARD"]) == alarm.threshold


def test_only_cloudwatch_may_publish_to_the_encrypted_topic(prod: Synthesized) -> None:
    ((key, properties),) = of_kind(prod, "AWS::KMS::Key")
    for _, topic in of_kind(prod, TOPIC):
        assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert properties["EnableKeyRotation"] is True
    policies = [policy for _, policy in of_kind(prod, "AWS::SNS::TopicPolicy")]
    assert len(policies) == 2
    for document, actions in (
        (properties["KeyPolicy"], {"kms:Decrypt", "kms:GenerateDataKey*"}),
        *((policy["PolicyDocument"], {"sns:Publish"}) for policy in policies),
    ):
        admitted = [
            statement
            for statement in document["Statement"]
            if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
        ]
        (cloudwatch,) = admitted
        assert cloudwatch["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        given = cloudwatch["Action"]
        assert {given} if isinstance(given, str) else set(given) == actions
        assert cloudwatch["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }
        assert Resolver({}).resolve(cloudwatch["Condition"]["ArnLike"]) == {
            "aws:SourceArn": "arn:AWS::Partition:cloudwatch:eu-west-1:123456789012:alarm:*"
        }


def heartbeats(stack: Synthesized) -> list[tuple[str, Any]]:
    """The rules that ask the API function."""
    return [
        (name, rule)
        for name, rule in of_kind(stack, "AWS::Events::Rule")
        if any("predict" in target.get("Input", "") for target in rule.get("Targets", ()))
    ]


def test_a_schedule_asks_the_function_where_silence_raises_an_alarm(
    prod: Synthesized, synthesized: Synthesized
) -> None:
    ((rule, properties),) = heartbeats(prod)
    ((live, _),) = of_kind(prod, "AWS::Lambda::Alias")
    assert properties["ScheduleExpression"] == "rate(5 minutes)"
    (target,) = properties["Targets"]
    assert target["Arn"] == {"Ref": live}
    asked = json.loads(target["Input"])
    assert json.loads(asked["body"])["draft"] is True  # no metric counts it
    permissions = [
        permission
        for _, permission in of_kind(prod, "AWS::Lambda::Permission")
        if permission["FunctionName"] == {"Ref": live}
        and permission["Principal"] == "events.amazonaws.com"
    ]
    assert [each["SourceArn"] for each in permissions] == [{"Fn::GetAtt": [rule, "Arn"]}]
    # Other environments have neither the schedule nor the alarm.
    assert not heartbeats(synthesized)
    assert "heartbeat" not in {entry(alarm) for alarm in alarms(synthesized)}


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("minimum_prediction_rate", 0.0),
        ("minimum_prediction_rate", 1.5),
        ("maximum_server_errors", 0),
        ("heartbeat_minutes", -5),
    ],
)
def test_an_impossible_limit_is_refused(limit: str, value: float) -> None:
    with pytest.raises(ValueError, match=limit):
        Limits(**{limit: value})  # type: ignore[arg-type]


def test_the_commands_look_back_as_far_as_the_alarm(prod: Synthesized) -> None:
    page = RUNBOOK.read_text(encoding="utf-8")
    for alarm in alarms(prod):
        (section,) = (
            each
            for each in re.split(r"^###? ", page, flags=re.MULTILINE)
            if each.splitlines()[0].lower().replace(" ", "-") == entry(alarm)
        )
        if re.search(r"^    .*\blog ", section, flags=re.MULTILINE):
            (hours,) = re.findall(r"^    SINCE=(\d+)h$", section, flags=re.MULTILINE)
            assert int(hours) * 3600 >= alarm.period * alarm.periods + 3600


def test_the_certificate_is_watched_only_where_there_is_one(
    prod: Synthesized, synthesize: Synthesize
) -> None:
    assert "certificate-expiry" in {entry(alarm) for alarm in alarms(prod)}
    without = synthesize("prod", alarm_email="operator@example.org")
    assert "certificate-expiry" not in {entry(alarm) for alarm in alarms(without)}
    # CloudFront's certificate is in us-east-1, where infra_cdk/probe.py watches it.
    of_cloudfront = synthesize(**COMBINATIONS["cloudfront with own name"])
    assert "certificate-expiry" not in {entry(alarm) for alarm in alarms(of_cloudfront)}
