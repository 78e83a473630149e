"""Commands of the CDK that `scripts/cdk` checks before it passes them on."""

import json
import os
import re
from pathlib import Path

import pytest

from scripts.releasing import cdk_deploy, cdk_other, review
from scripts.releasing.removals import Removal
from tests.support.paths import ROOT
from tests.unit.fake_deployment import FakeAws, FakeTarget, live, settings_outputs


@pytest.fixture(autouse=True)
def _nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cdk diff` needs Node.js: tests/system runs it."""
    monkeypatch.setattr(review, "removals", lambda target, assembly: [])


CDK = """#!/bin/sh
echo "$*" >> {log}
case "$1" in
synth) cp {folder}/*.json {out} ;;
esac
"""


@pytest.fixture
def cdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a CDK command line that synthesizes a stack without any settings."""
    folder, out = tmp_path / "new", tmp_path / "cdk.out"
    folder.mkdir()
    out.mkdir()
    outputs = settings_outputs({}) | {"ModelSha256": "1" * 64}
    template = {"Outputs": {name: {"Value": value} for name, value in outputs.items()}}
    artifacts = {"etiquette-prod": {"type": "aws:cloudformation:stack"}}
    (folder / "etiquette-prod.template.json").write_text(json.dumps(template))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    program, log = tmp_path / "cdk", tmp_path / "log"
    program.write_text(CDK.format(log=log, folder=folder, out=out))
    program.chmod(0o755)
    monkeypatch.setattr(cdk_deploy, "CDK", program)
    monkeypatch.setattr(cdk_deploy, "_FOLDER", out)
    return log


def deploy_with_cdk(monkeypatch: pytest.MonkeyPatch, aws: FakeAws, *arguments: str) -> int:
    monkeypatch.setattr(cdk_deploy, "Target", lambda *_, **__: FakeTarget(aws=aws))
    return cdk_deploy.main(["deploy", "-c", "environment=prod", *arguments])


def test_cdk_deploy_deploys_what_was_reviewed(cdk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = cdk.parent / "cdk.out"
    assert (
        deploy_with_cdk(monkeypatch, live({}), "--outputs-file", "o.json", "--context", "a=b") == 0
    )
    assert cdk.read_text().splitlines() == [
        f"synth --quiet --output {out} -c environment=prod -c a=b",
        f"--app {out} deploy --outputs-file o.json",
    ]


def test_cdk_deploy_refuses_to_lose_a_setting(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = live({"auth": "iam"}, "auth")
    assert deploy_with_cdk(monkeypatch, aws) == 1
    assert "auth: iam -> default" in capsys.readouterr().err
    assert " deploy" not in cdk.read_text()


def test_cdk_deploy_gives_kept_settings_to_the_synthesis(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("scripts.releasing.deployed_settings._KEPT_MODELS", tmp_path / "models")
    aws = live({"auth": "iam", "rollout": "canary_15_minutes"}, "auth", "rollout")
    deploy_with_cdk(monkeypatch, aws, "--keep-settings", "-c", "rollout=canary_5_minutes")
    synthesized = cdk.read_text().splitlines()[0]
    assert "-c auth=iam" in synthesized
    assert "-c rollout=canary_5_minutes" in synthesized
    assert "canary_15_minutes" not in synthesized
    assert f"-c model={tmp_path}/models/{'1' * 64}.safetensors" in synthesized


@pytest.mark.parametrize("app", ["new", "python -m infra_cdk.probe"])
def test_settings_of_another_app_cannot_be_kept(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], app: str
) -> None:
    monkeypatch.chdir(cdk.parent)
    assert deploy_with_cdk(monkeypatch, live({}), "--keep-settings", "--app", app) == 1
    assert "use --keep-settings without --app" in capsys.readouterr().err


def other_with_cdk(monkeypatch: pytest.MonkeyPatch, cdk: Path, *arguments: str) -> int:
    monkeypatch.setattr(cdk_other, "CDK", cdk.parent / "cdk")
    monkeypatch.setattr(
        cdk_other, "Target", lambda *_, context: FakeTarget(aws=live({}), context=context)
    )
    return cdk_other.main(arguments)


def test_other_commands_of_the_cdk_show_the_account(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "")  # as on the emulator; boto3 would fail on it
    given = ("destroy", "-c", "environment=prod", "-c", "account=123456789012")
    assert other_with_cdk(monkeypatch, cdk, *given) == 0
    assert "AWS_PROFILE" not in os.environ
    shown = "cdk destroy: in account 123456789012 (example-prod), region eu-west-1"
    assert shown in capsys.readouterr().err
    assert cdk.read_text() == " ".join(given) + "\n"
    assert other_with_cdk(monkeypatch, cdk, "destroy", "--app", "python -m infra_cdk.probe") == 0
    assert "region" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (("destroy", "-c", "environment=prod", "-c", "account=999999999999"), "9{12} .* AWS_PROF"),
        (("watch", "-c", "environment=prod"), "Use scripts/release or scripts/cdk deploy"),
    ],
)
def test_other_commands_of_the_cdk_are_refused(
    cdk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    advice: str,
) -> None:
    assert other_with_cdk(monkeypatch, cdk, *given) == 1
    assert re.search(advice, capsys.readouterr().err)
    assert not cdk.exists()


def test_every_command_of_the_cdk_that_changes_something_is_checked() -> None:
    checked = (ROOT / "scripts" / "cdk").read_text()
    for command in ("bootstrap", "deploy", "destroy", "gc", "import", "publish-assets", "rollback"):
        assert f'*" {command} "*' in checked


def test_cdk_deploy_asks_before_it_removes_what_callers_use(
    cdk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    domain = Removal("AWS::ApiGatewayV2::DomainName", "Http/Domain", "destroy")
    monkeypatch.setattr(review, "removals", lambda target, assembly: [domain])
    assert deploy_with_cdk(monkeypatch, live({})) == 1
    assert "!! removes AWS::ApiGatewayV2::DomainName Http/Domain" in capsys.readouterr().err
    assert " deploy" not in cdk.read_text()
    assert deploy_with_cdk(monkeypatch, live({}), "--require-approval", "never") == 0
    assert " deploy" in cdk.read_text()
