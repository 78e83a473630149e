"""The state machine that retrains: what starts it, and what its job may do."""

import json
import re
from typing import Any

import pytest

from infra_cdk.settings import Settings, SettingsError
from tests.infra.synthesis import WITH_RETRAINING, Synthesize, Synthesized
from tests.support.cloudwatch.templates import Resolver

ROLE = "AWS::IAM::Role"


@pytest.fixture(scope="module")
def retraining(synthesize: Synthesize) -> Synthesized:
    return synthesize(**WITH_RETRAINING)


@pytest.fixture(scope="module")
def definition(retraining: Synthesized) -> dict[str, Any]:
    machine = retraining.only("AWS::StepFunctions::StateMachine")["Properties"]
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "reference" for part in parts)
    found: dict[str, Any] = json.loads(text)
    return found


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_without_the_setting_there_is_none(synthesized: Synthesized) -> None:
    synthesized.template.resource_count_is("AWS::DynamoDB::Table", 0)


def test_the_event_of_this_service_and_the_schedule_start_it(retraining: Synthesized) -> None:
    rules = retraining.properties("AWS::Events::Rule", "Retraining")
    (event,) = (rule["EventPattern"] for rule in rules if "EventPattern" in rule)
    assert event == {
        "source": ["etiquette.monitor"],
        "detail-type": ["QualityFallen"],
        "detail": {"service": ["etiquette-dev"]},
    }
    schedules = [rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule]
    assert schedules == ["rate(28 days)"]
    ((machine, _),) = retraining.resources("AWS::StepFunctions::StateMachine").items()
    assert {target["Arn"]["Ref"] for rule in rules for target in rule["Targets"]} == {machine}


def test_a_run_claims_the_week_before_it_does_anything(definition: dict[str, Any]) -> None:
    claim = definition["States"][definition["StartAt"]]
    assert claim["Arguments"]["ConditionExpression"] == (
        "attribute_not_exists(#started) OR #started < :before"
    )
    before = claim["Arguments"]["ExpressionAttributeValues"][":before"]["N"]
    (milliseconds,) = re.findall(r"- (\d+)", before)
    days = int(milliseconds) / 86_400_000
    assert 6.9 < days < 7
    # So no other run can be going on.
    job = definition["States"][claim["Next"]]
    assert job["TimeoutSeconds"] <= 24 * 3600
    (catch,) = claim["Catch"]
    assert definition["States"][catch["Next"]]["Type"] == "Succeed"


def test_the_job_may_read_corpus_and_model_and_write_candidate_and_result(
    retraining: Synthesized,
) -> None:
    role = retraining.only(ROLE, "RetrainingJobRole")
    actions = {statement["Action"] for statement in statements(role)}
    assert actions == {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "dynamodb:UpdateItem"}
    resolver = Resolver(retraining.template.to_json()["Resources"])
    written = [
        resolver.resolve(statement["Resource"])
        for statement in statements(role)
        if statement["Action"] == "s3:PutObject"
    ]
    assert len(written) == 1
    assert written[0].endswith("/candidates/*")


def test_the_corpus_outlives_the_stack(retraining: Synthesized) -> None:
    bucket = retraining.only("AWS::S3::Bucket", "Retraining")
    assert bucket["DeletionPolicy"] == "Retain"
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]
    assert expiring == ["candidates/"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retraining_schedule": "rate(28 days)"}, "needs -c retraining=true"),
        ({"retraining": True, "retraining_schedule": "weekly"}, "must be a schedule"),
    ],
)
def test_a_wrong_schedule_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(environment="dev", **settings)
