"""The state machine that audits: what starts it, what it runs, and what its job may do."""

import argparse
import json
import re
from typing import Any

import pytest

from infra_cdk.settings import Settings, SettingsError
from model_build.commands import audit as command
from tests.infra.synthesis import WITH_AUDIT, WITH_RETRAINING, Synthesize, Synthesized
from tests.support.cloudwatch.templates import Resolver

DAY = 24 * 3600


@pytest.fixture(scope="module")
def audit(synthesize: Synthesize) -> Synthesized:
    return synthesize(**WITH_AUDIT)


@pytest.fixture(scope="module")
def state(audit: Synthesized) -> dict[str, Any]:
    """The only state of the machine. References are replaced by a word."""
    machine = audit.only("AWS::StepFunctions::StateMachine", "AuditMachine")["Properties"]
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "reference" for part in parts)
    ((_, found),) = json.loads(text)["States"].items()
    assert isinstance(found, dict)
    return found


def permissions(template: Synthesized, role: str) -> list[tuple[str, str]]:
    """Each action that a role allows, with its resource."""
    resolver = Resolver(template.template.to_json()["Resources"])
    return [
        (statement["Action"], resolver.resolve(statement["Resource"]))
        for policy in template.only("AWS::IAM::Role", role)["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_a_schedule_starts_it_every_day_without_options(audit: Synthesized) -> None:
    rule = audit.only("AWS::Events::Rule", "Audit")["Properties"]
    assert re.fullmatch(r"cron\(\d+ \d+ \* \* \? \*\)", rule["ScheduleExpression"])
    (target,) = rule["Targets"]
    ((machine, _),) = audit.resources("AWS::StepFunctions::StateMachine").items()
    assert target["Arn"] == {"Ref": machine}
    assert json.loads(target["Input"]) == {"options": []}


def test_it_runs_the_audit_of_the_live_alias(state: dict[str, Any]) -> None:
    (override,) = state["Arguments"]["Overrides"]["ContainerOverrides"]
    words, _ = re.fullmatch(r"\{% \$append\((\[.*?\]), (.*)\) %\}", override["Command"]).groups()  # type: ignore[union-attr]
    parser = argparse.ArgumentParser()
    command.add_command(parser.add_subparsers())
    options = parser.parse_args(json.loads(words))
    assert options.site == WITH_AUDIT["audit_site"]
    assert options.function == "reference"
    assert options.url is None
    assert options.fetch_synonyms
    assert options.store.startswith("s3://")
    assert options.days.youngest >= 3


def test_all_attempts_end_before_the_next_run_begins(state: dict[str, Any]) -> None:
    (retry,) = state["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["BackoffRate"] == 1
    waiting = retry["MaxAttempts"] * retry["IntervalSeconds"]
    assert (retry["MaxAttempts"] + 1) * state["TimeoutSeconds"] + waiting < DAY


def test_the_job_may_ask_the_alias_read_the_model_and_write_audits(audit: Synthesized) -> None:
    found = permissions(audit, "AuditJobRole")
    assert [action for action, _ in found] == [
        "lambda:InvokeFunction",
        "s3:GetObject",
        "s3:PutObject",
    ]
    (_, alias), (_, model), (_, written) = found
    assert alias.endswith(":live")
    assert model.endswith(".safetensors")
    assert written.endswith("/audits/*")


def test_with_retraining_it_may_read_candidates_too(synthesize: Synthesize) -> None:
    both = permissions(synthesize(**WITH_AUDIT, **WITH_RETRAINING), "AuditJobRole")
    read = [resource for action, resource in both if action == "s3:GetObject"]
    assert [resource.rpartition("/")[0].rpartition("/")[2] for resource in read][1:] == [
        "candidates"
    ]


def test_the_key_is_a_secret_of_the_task_and_in_no_template(audit: Synthesized) -> None:
    (container,) = audit.only("AWS::ECS::TaskDefinition")["Properties"]["ContainerDefinitions"]
    (secret,) = container["Secrets"]
    assert secret["Name"] == "STACK_EXCHANGE_KEY"
    assert {each["Name"] for each in container["Environment"]} == {"AWS_DEFAULT_REGION"}


def test_without_a_key_there_is_no_secret(synthesize: Synthesize) -> None:
    (container,) = synthesize(audit_site="cooking").only("AWS::ECS::TaskDefinition")["Properties"][
        "ContainerDefinitions"
    ]
    assert "Secrets" not in container


@pytest.mark.parametrize("auth", ["none", "iam", "jwt"])
def test_it_needs_nothing_of_what_the_api_asks_of_callers(
    auth: str, synthesize: Synthesize
) -> None:
    tokens = {"jwt_issuer": "https://id.example.org/pool", "jwt_audiences": ("web",)}
    template = synthesize(auth=auth, **WITH_AUDIT, **(tokens if auth == "jwt" else {}))
    assert not any("execute-api" in action for action, _ in permissions(template, "AuditJobRole"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"audit_site": "Stack Overflow"}, "must be the name of a site"),
        ({"audit_key_parameter": "/key"}, "needs audit_site"),
        (
            {"audit_site": "cooking", "audit_key_parameter": "U4DMV*8nvpm3EOpvf69Rxw(("},
            "Do not pass the key itself",
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(environment="dev", **settings)
