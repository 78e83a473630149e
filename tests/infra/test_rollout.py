"""How live moves: the pre-traffic check, the canary, and the alarms that stop a release."""

import json
from typing import Any

import pytest

from infra_cdk.settings import ROLLOUTS
from tests.infra.synthesis import WITH_ADDRESS, Synthesize, Synthesized
from tests.support.cloudwatch.alarms import Alarm
from tests.support.cloudwatch.evaluation import states
from tests.support.cloudwatch.samples import MetricId, Sample, Samples
from tests.support.cloudwatch.states import State
from tests.support.cloudwatch.templates import Resolver

GROUP = "AWS::CodeDeploy::DeploymentGroup"
CHECK = ("AWS::Lambda::Function", "RolloutPreTrafficCheck")
COUNT = ("AWS::Lambda::Function", "RolloutPostTrafficCheck")
QUESTIONS = ("AWS::Lambda::Function", "RolloutCanaryQuestions")

VERSION_OF = {"AWS/Lambda": "ExecutedVersion", "Etiquette": "version"}
"""The dimension that names the version, by namespace."""
INVOCATIONS = MetricId("AWS/Lambda", "Invocations", frozenset())


def version(synthesized: Synthesized) -> str:
    ((name, _),) = synthesized.resources("AWS::Lambda::Version").items()
    return name


def test_cloudformation_moves_live_with_codedeploy_and_the_check(
    synthesized: Synthesized,
) -> None:
    update = synthesized.only("AWS::Lambda::Alias")["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    ((application, _),) = synthesized.resources("AWS::CodeDeploy::Application").items()
    ((group, properties),) = synthesized.resources(GROUP).items()
    ((check, _),) = synthesized.resources(*CHECK).items()
    ((count, _),) = synthesized.resources(*COUNT).items()
    assert update == {
        "ApplicationName": {"Ref": application},
        "DeploymentGroupName": {"Ref": group},
        "BeforeAllowTrafficHook": {"Ref": check},
        "AfterAllowTrafficHook": {"Ref": count},
    }
    assert properties["Properties"]["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    }


def test_live_moves_after_everything_that_names_the_new_version(synthesized: Synthesized) -> None:
    alias = synthesized.only("AWS::Lambda::Alias")
    assert set(alias["DependsOn"]) >= {
        *synthesized.resources(GROUP),
        *synthesized.resources(*CHECK),
        *synthesized.resources(*COUNT),
        *synthesized.resources(*QUESTIONS),
        *synthesized.resources("AWS::CloudWatch::Alarm", "Rollout"),
    }


def test_codedeploy_can_go_back_to_a_version_that_the_template_does_not_know(
    synthesized: Synthesized,
) -> None:
    ((function, _),) = synthesized.resources("AWS::Lambda::Function", "Function").items()
    ((_, role),) = synthesized.resources("AWS::IAM::Role", "RolloutRole").items()
    (policy,) = role["Properties"]["Policies"]
    granted = {
        statement["Action"]: statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if isinstance(statement["Action"], str)
    }
    arn = {"Fn::GetAtt": [function, "Arn"]}
    every_version = {"Fn::Join": ["", [arn, ":*"]]}
    assert granted["lambda:GetProvisionedConcurrencyConfig"] == every_version


@pytest.mark.parametrize(
    ("environment", "rollout", "configuration"),
    [
        ("dev", None, "LambdaCanary10Percent5Minutes"),
        ("prod", None, "LambdaCanary10Percent15Minutes"),
        ("prod", "all_at_once", "LambdaAllAtOnce"),
    ],
)
def test_the_environment_decides_how_long_the_canary_lasts(
    synthesize: Synthesize, environment: str, rollout: str | None, configuration: str
) -> None:
    assert rollout is None or rollout in ROLLOUTS
    given: dict[str, Any] = {} if rollout is None else {"rollout": rollout}
    stack = synthesize(environment, **WITH_ADDRESS, **given)
    group = stack.only(GROUP)["Properties"]
    assert group["DeploymentConfigName"] == f"CodeDeployDefault.{configuration}"
    # The alarms that an urgent fix is meant to end must not stop it, and it has no canary.
    assert ("Alarms" in group["AlarmConfiguration"]) == (rollout is None)
    update = stack.only("AWS::Lambda::Alias")["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert ("AfterAllowTrafficHook" in update) == (rollout is None)
    assert len(stack.resources("AWS::CloudWatch::Alarm", "Rollout")) == 2


def test_alarms_on_the_new_version_alone_stop_the_release(synthesized: Synthesized) -> None:
    group = synthesized.only(GROUP)["Properties"]
    alarms = synthesized.resources("AWS::CloudWatch::Alarm", "Rollout")
    listened = group["AlarmConfiguration"]
    assert listened["Enabled"] is True
    assert {each["Name"]["Ref"] for each in listened["Alarms"]} == set(alarms)
    under_test = {"Fn::GetAtt": [version(synthesized), "Version"]}
    watched = set()
    for alarm in alarms.values():
        properties = alarm["Properties"]
        assert (properties["DatapointsToAlarm"], properties["EvaluationPeriods"]) == (2, 3)
        assert properties["TreatMissingData"] == "notBreaching"
        for metric in (
            each["MetricStat"] for each in properties["Metrics"] if "MetricStat" in each
        ):
            assert metric["Period"] == 60
            named = {each["Name"]: each["Value"] for each in metric["Metric"]["Dimensions"]}
            assert named[VERSION_OF[metric["Metric"]["Namespace"]]] == under_test
            watched.add(metric["Metric"]["MetricName"])
    assert watched == {"Invocations", "Errors", "Duration", "FailedAnswers"}


def minutes(requests: int, **failures: int) -> list[Sample]:
    """Three minutes in which the new version gets so many requests."""
    names = {"errors": ("AWS/Lambda", "Errors"), "answers": ("Etiquette", "FailedAnswers")}
    return [
        sample
        for minute in range(3)
        for sample in (
            Sample(INVOCATIONS, minute * 60, float(requests)),
            *(
                Sample(
                    INVOCATIONS._replace(namespace=names[of][0], name=names[of][1]),
                    minute * 60,
                    float(count),
                )
                for of, count in failures.items()
            ),
        )
    ]


@pytest.mark.parametrize(
    ("measured", "stops"),
    [
        (minutes(228, errors=1), False),  # one failure a minute at 38 requests a second
        (minutes(228, answers=1), False),
        (minutes(228, errors=3, answers=3), True),
        (minutes(12, errors=1), True),  # the canary's own questions
        (minutes(4, errors=4), False),  # too few to judge
        (minutes(12), False),
        ([], False),
    ],
)
def test_a_share_of_failed_requests_stops_the_release(
    synthesized: Synthesized, measured: list[Sample], stops: bool
) -> None:
    resolver = Resolver(synthesized.template.to_json()["Resources"])
    (alarm,) = (
        Alarm.from_template(name, each["Properties"], resolver)
        for name, each in synthesized.resources("AWS::CloudWatch::Alarm", "Rollout").items()
        if "Failures" in name
    )
    ids = {
        (query.metric.namespace, query.metric.name): query.metric
        for query in alarm.metrics.values()
    }
    samples = Samples(
        each._replace(metric=ids[each.metric.namespace, each.metric.name]) for each in measured
    )
    found = states(alarm, samples, 60, 300, forecast=lambda *_: [])
    assert any(state is State.ALARM for _, state in found) == stops


def granted(synthesized: Synthesized, function: tuple[str, str]) -> dict[str, Any]:
    """What a function may do: the resources by action."""
    role = synthesized.only(*function)["Properties"]["Role"]["Fn::GetAtt"][0]
    policies = synthesized.resources("AWS::IAM::Role")[role]["Properties"]["Policies"]
    return {
        action: statement["Resource"]
        for each in policies
        for statement in each["PolicyDocument"]["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }


def test_the_checks_may_only_do_what_they_are_for(synthesized: Synthesized) -> None:
    write = {"logs:CreateLogStream", "logs:PutLogEvents"}
    report = "codedeploy:PutLifecycleEventHookExecutionStatus"
    check = granted(synthesized, CHECK)
    assert set(check) == {
        "lambda:InvokeFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetAlias",
        report,
        *write,
    }
    count = granted(synthesized, COUNT)
    assert set(count) == {"cloudwatch:GetMetricStatistics", report, *write}
    questions = granted(synthesized, QUESTIONS)
    assert set(questions) == {"lambda:InvokeFunction", "lambda:GetAlias", *write}
    assert ":live" in json.dumps(questions["lambda:InvokeFunction"])
    name = synthesized.only(GROUP)["Properties"]["DeploymentGroupName"]
    for each in (check, count):
        assert json.dumps(each[report]).endswith(f'"/{name}"]]}}')
    variables = synthesized.only(*CHECK)["Properties"]["Environment"]["Variables"]
    ((function, _),) = synthesized.resources(*QUESTIONS).items()
    assert variables == {
        "VERSION_ARN": {"Ref": version(synthesized)},
        "ALIAS": "live",
        "CANARY_QUESTIONS": {"Ref": function},
    }


def test_the_checks_zip_contains_only_its_folder(synthesized: Synthesized) -> None:
    key = synthesized.only(*CHECK)["Properties"]["Code"]["S3Key"]
    folder = synthesized.assembly / f"asset.{key.removesuffix('.zip')}"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} - {
        ".dockerignore"
    } == {
        "pre_traffic_check/__init__.py",
        "pre_traffic_check/canary.py",
        "pre_traffic_check/canary_handler.py",
        "pre_traffic_check/check.py",
        "pre_traffic_check/handler.py",
        "pre_traffic_check/pin.py",
        "pre_traffic_check/post_traffic.py",
        "pre_traffic_check/questions.jsonl",
    }


def test_another_model_makes_another_version(
    synthesized: Synthesized, synthesize: Synthesize, other_model: Any
) -> None:
    other = synthesize(model=other_model)
    assert version(other) != version(synthesized)
    # The code of the check and its questions stay the same.
    assert (
        other.only(*CHECK)["Properties"]["Code"] == (synthesized.only(*CHECK)["Properties"]["Code"])
    )
