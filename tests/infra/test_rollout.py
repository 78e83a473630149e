"""How live moves: the pre-traffic check, the canary, and the alarms that stop a release."""

import json
from typing import Any

import pytest

from infra_cdk.settings import ROLLOUTS
from tests.infra.synthesis import WITH_ADDRESS, Synthesize, Synthesized

GROUP = "AWS::CodeDeploy::DeploymentGroup"
CHECK = ("AWS::Lambda::Function", "Rollout")


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
    assert update == {
        "ApplicationName": {"Ref": application},
        "DeploymentGroupName": {"Ref": group},
        "BeforeAllowTrafficHook": {"Ref": check},
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
    # The alarms that an urgent fix is meant to end must not stop it.
    assert ("Alarms" in group["AlarmConfiguration"]) == (rollout is None)
    assert len(stack.resources("AWS::CloudWatch::Alarm", "Rollout")) == 3


def test_alarms_on_the_new_version_stop_the_release(synthesized: Synthesized) -> None:
    group = synthesized.only(GROUP)["Properties"]
    alarms = synthesized.resources("AWS::CloudWatch::Alarm", "Rollout")
    listened = group["AlarmConfiguration"]
    assert listened["Enabled"] is True
    assert {each["Name"]["Ref"] for each in listened["Alarms"]} == set(alarms)
    under_test = {"Fn::GetAtt": [version(synthesized), "Version"]}
    of_the_version = []
    for alarm in alarms.values():
        properties = alarm["Properties"]
        assert properties["Period"] == 60
        assert properties["EvaluationPeriods"] == 1
        assert properties["TreatMissingData"] == "notBreaching"
        dimensions = {each["Name"]: each["Value"] for each in properties["Dimensions"]}
        if set(dimensions) == {"FunctionName", "Resource", "ExecutedVersion"}:
            assert dimensions["ExecutedVersion"] == under_test
            assert dimensions["Resource"]["Fn::Join"][1][1] == ":live"
            of_the_version.append(properties["MetricName"])
    assert sorted(of_the_version) == ["Duration", "Errors"]


def test_the_check_may_invoke_the_new_version_and_nothing_else(synthesized: Synthesized) -> None:
    check = synthesized.only(*CHECK)["Properties"]
    under_test = {"Ref": version(synthesized)}
    assert check["Environment"]["Variables"] == {"VERSION_ARN": under_test, "ALIAS": "live"}
    role = synthesized.resources("AWS::IAM::Role")[check["Role"]["Fn::GetAtt"][0]]["Properties"]
    granted = {
        action: statement["Resource"]
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert set(granted) == {
        "lambda:InvokeFunction",
        "lambda:GetFunctionConfiguration",
        "lambda:GetAlias",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert granted["lambda:InvokeFunction"] == under_test
    group = json.dumps(granted["codedeploy:PutLifecycleEventHookExecutionStatus"])
    name = synthesized.only(GROUP)["Properties"]["DeploymentGroupName"]
    assert group.endswith(f'"/{name}"]]}}')


def test_the_checks_zip_contains_only_its_folder(synthesized: Synthesized) -> None:
    key = synthesized.only(*CHECK)["Properties"]["Code"]["S3Key"]
    folder = synthesized.assembly / f"asset.{key.removesuffix('.zip')}"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} - {
        ".dockerignore"
    } == {
        "pre_traffic_check/__init__.py",
        "pre_traffic_check/check.py",
        "pre_traffic_check/handler.py",
        "pre_traffic_check/pin.py",
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
