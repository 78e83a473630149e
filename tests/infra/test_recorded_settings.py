"""The outputs that tell the next deployment which settings are live."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App

from infra_cdk.context import FROM_CONTEXT, settings_from_context
from infra_cdk.model import identify
from infra_cdk.recorded_settings import settings_outputs
from infra_cdk.settings import ENVIRONMENTS, STARTER_MODEL, Settings
from scripts.releasing import deployed_settings
from scripts.releasing.function import Live, Version, facts_of
from tests.infra.synthesis import Synthesized
from tests.support.paths import ROOT
from tests.support.signing import private_key, public_text

EVERY_SETTING = {
    "account": "123456789012",
    "architecture": "x86_64",
    "reserved_concurrency": "0",
    "account_concurrency": "1000",
    "rollout": "canary_5_minutes",
    "auth": "jwt",
    "jwt_issuer": "https://id.example.org/pool",
    "jwt_audiences": "web,phone",
    "open_pages": "true",
    "principal_share": "20",
    "cors_origins": "https://example.org,http://localhost:3000",
    "domain_name": "tags.example.org",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0-1",
    "hosted_zone_id": "Z1",
    "disable_execute_api_endpoint": "true",
    "throttle": "60:120",
    "batch_throttle": "3:6",
    "feedback_throttle": "7:14",
    "alarm_email": "operator@example.org",
    "ticket_email": "team@example.org",
    "monthly_budget_usd": "80",
    "event_retention_days": "60",
    "event_text": "true",
    "retraining": "true",
    "retraining_schedule": "rate(30 days)",
    "audit_site": "cooking",
    "audit_key_parameter": "/etiquette/stack-exchange-key",
    "archive_scoring": "4",
    "signing_key": public_text(private_key("owner")),
}
"""Settings of the command line that differ from those of prod."""
WITH_CLOUDFRONT = {
    "web_acl_arn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/etiquette/0-1",
    "alarm_email": "operator@example.org",
}
"""CloudFront excludes some of the other settings."""


def settings(**context: Any) -> Settings:
    return settings_from_context(App(context=context, analytics_reporting=False).node)


def recorded(**context: Any) -> deployed_settings.Settings:
    found = deployed_settings.Settings.of(settings_outputs(settings(**context)))
    assert found is not None
    return found


def test_every_setting_is_tested_here() -> None:
    not_recorded = {"service", "model", "report"}  # a name, and what each release brings
    tested = set(EVERY_SETTING) | set(WITH_CLOUDFRONT)
    assert tested == set(FROM_CONTEXT) - not_recorded, "enter the new setting here"


@pytest.mark.parametrize("given", [EVERY_SETTING, WITH_CLOUDFRONT])
def test_every_given_setting_can_be_given_again_from_the_outputs(given: dict[str, str]) -> None:
    """This is what --keep-settings does."""
    live = recorded(environment="prod", **given)
    assert live.given == set(given)
    again = {name: live.values[name] for name in live.given}
    assert again == given
    assert settings(environment="prod", **again) == settings(environment="prod", **given)


NEEDED_BY: dict[str, set[str]] = {
    "alarm_email": {"monthly_budget_usd"},
    "auth": {"jwt_issuer", "jwt_audiences"},
    "jwt_issuer": {"auth", "jwt_audiences"},
    "jwt_audiences": {"auth", "jwt_issuer"},
    "domain_name": {"certificate_arn", "hosted_zone_id", "disable_execute_api_endpoint"},
    "retraining": {"retraining_schedule"},
    "audit_site": {"audit_key_parameter"},
    "certificate_arn": {"domain_name", "hosted_zone_id", "disable_execute_api_endpoint"},
}
"""The settings that are not valid without another one."""


@pytest.mark.parametrize("name", EVERY_SETTING)
def test_a_setting_that_the_next_command_leaves_out_is_lost(name: str) -> None:
    live = EVERY_SETTING | {"rollout": "canary_15_minutes"}  # the other one is the default of dev
    left_out = {name, *NEEDED_BY.get(name, ())}
    given = {each: value for each, value in live.items() if each not in left_out}
    lost = deployed_settings.lost(recorded(**live), recorded(**given))
    assert {each.name for each in lost} == left_out


@pytest.mark.parametrize(
    ("app", "stack", "given"),
    [
        (
            "probe",
            "etiquette-prod-probe",
            {"host": "tags.example.org", "alarm_email": "a@example.org", "path": "/"},
        ),
        ("delivery", "etiquette-delivery", {"repository": "a/b", "environment": "dev"}),
    ],
)
def test_a_stack_beside_the_service_outputs_its_settings(
    app: str, stack: str, given: dict[str, str], tmp_path: Path
) -> None:
    context = {**given, "service": "default"}
    subprocess.run(
        [sys.executable, "-m", f"infra_cdk.{app}"],
        cwd=ROOT,
        env={
            **os.environ,
            "CDK_CONTEXT_JSON": json.dumps(context),
            "CDK_OUTDIR": str(tmp_path),
        },
        check=True,
    )
    outputs = json.loads((tmp_path / f"{stack}.template.json").read_text())["Outputs"]
    written = {name: each["Value"] for name, each in outputs.items()}
    settings = deployed_settings.Settings.of(written)
    assert settings == deployed_settings.Settings(given, frozenset(context))


def test_default_drops_a_setting_on_purpose() -> None:
    live = recorded(alarm_email="operator@example.org", cors_origins="https://example.org")
    new = recorded(alarm_email="default", cors_origins="https://example.org")
    assert deployed_settings.lost(live, new) == []
    assert settings(alarm_email="default") == ENVIRONMENTS["dev"]()
    assert [str(each) for each in deployed_settings.changed(live, new)] == [
        "alarm_email: operator@example.org -> default"
    ]


def test_a_setting_that_no_longer_exists_can_be_dropped() -> None:
    assert settings(retired_setting="default") == ENVIRONMENTS["dev"]()


def test_the_values_of_the_environment_are_recorded_too() -> None:
    """A checkout whose settings.py does not have them would lose them."""
    live = recorded(environment="prod", alarm_email="operator@example.org")
    assert live.values["log_retention"] == "THREE_MONTHS"
    assert live.values["protected"] == "true"
    assert "heartbeat_minutes=5" in live.values["limits"]
    assert live.given == {"alarm_email"}
    assert recorded().values == {}


def test_an_urgent_rollout_is_for_one_deployment_only() -> None:
    live = recorded(rollout="all_at_once")
    assert "rollout" not in live.values
    assert deployed_settings.lost(live, recorded()) == []


def test_the_stack_outputs_its_settings_and_the_digest_of_its_model(
    synthesized: Synthesized,
) -> None:
    outputs = synthesized.outputs()
    assert json.loads(outputs["Settings"]) == {}
    assert json.loads(outputs["CommandSettings"]) == []
    assert outputs["ModelSha256"] == hashlib.sha256(STARTER_MODEL.read_bytes()).hexdigest()


@pytest.mark.parametrize("with_report", [True, False])
def test_a_kept_model_keeps_the_figures_of_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_report: bool
) -> None:
    """Otherwise the same model would be published as another version, without its figures."""
    monkeypatch.setattr(deployed_settings, "_KEPT_MODELS", tmp_path / "kept")
    figures = ("sample_jaccard", "sample_f1", "precision_at_1", "prediction_rate", "ece")
    digest = hashlib.sha256(STARTER_MODEL.read_bytes()).hexdigest()
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"model_sha256": digest} | dict.fromkeys(figures, 0.1239)))
    live = identify(STARTER_MODEL, report if with_report else None)
    version = Version(1, facts_of(live.description), "s3://bucket/key", digest, "", "")
    function: Any = SimpleNamespace(
        live=lambda: Live(1, None, None, "r"),
        versions=lambda: [version],
        model_of=lambda version: STARTER_MODEL.read_bytes(),
    )
    kept = deployed_settings.live_model(function)
    again = identify(Path(kept["model"]), Path(kept["report"]) if "report" in kept else None)
    assert again == live
