"""A wrong setting or model stops the synthesis with one line that says what to do."""

import json
import os
import platform
import re
import subprocess
import sys
import tarfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import App

from infra_cdk.context import settings_from_context
from infra_cdk.model import ModelFileError, identify
from infra_cdk.settings import (
    ENVIRONMENTS,
    ROOT,
    STARTER_MODEL,
    Settings,
    SettingsError,
    Throttle,
)
from tests.infra.synthesis import bundle_bytes


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"architecture": "sparc"}, "arm64, x86_64"),
        ({"model": Path("absent.safetensors")}, "absent.safetensors: .*-c model=PATH"),
        ({"alarm_email": "nobody"}, "mail address"),
        ({"service": "Über uns"}, "lower-case letters"),
        ({"service": "a" * 18}, "up to 17"),
        ({"memory_mb": 64}, "128 to 10240"),
        ({"timeout_seconds": 20}, "must be 1 to 19: .* API Gateway waits 30 s"),
        ({"reserved_concurrency": -1}, "0 to switch the function off"),
        ({"account_concurrency": 0}, "account's quota"),
        ({"principal_share": 0}, "1 to 100 per cent"),
        ({"principal_share": 101}, "1 to 100 per cent"),
        ({"monthly_budget_usd": -1}, "an amount, or 0 for no budget"),
        ({"monthly_budget_usd": 5}, "needs an address .*: pass -c alarm_email=ADDRESS"),
        ({"ticket_email": "nobody"}, "mail address"),
        ({"auth": "basic"}, "none, iam, jwt"),
        ({"auth": "jwt"}, "auth=jwt needs jwt_issuer and jwt_audiences"),
        ({"jwt_issuer": "https://id.example.org"}, "auth=jwt needs jwt_issuer"),
        (
            {"auth": "jwt", "jwt_issuer": "http://id.example.org", "jwt_audiences": ("api",)},
            "jwt_issuer is 'http://id.example.org', which is not an https",
        ),
        ({"cors_origins": ("example.org",)}, "cors_origins contains 'example.org'"),
        ({"domain_name": "tags.example.org"}, "domain_name and certificate_arn need each other"),
        ({"hosted_zone_id": "Z1"}, "hosted_zone_id needs domain_name"),
        ({"disable_execute_api_endpoint": True}, "needs domain_name: without it, nobody"),
        ({"account": "1234"}, "account is '1234', but an AWS account has twelve digits"),
        ({"feedback_throttle": Throttle(rate=0, burst=1)}, "feedback_throttle is .*at least 1"),
    ],
)
def test_a_wrong_setting_is_refused_with_advice(given: dict[str, Any], advice: str) -> None:
    with pytest.raises(SettingsError, match=advice) as refused:
        ENVIRONMENTS["dev"](**given)
    assert any(name in str(refused.value) for name in given)


def test_prod_needs_an_address_for_alarms() -> None:
    with pytest.raises(SettingsError, match="pass -c alarm_email=ADDRESS"):
        ENVIRONMENTS["prod"]()
    assert ENVIRONMENTS["prod"](alarm_email="operator@example.org").protected


def from_context(**context: Any) -> Settings:
    return settings_from_context(App(context=context, analytics_reporting=False).node)


def test_the_command_line_gives_typed_settings() -> None:
    settings = from_context(
        environment="prod",
        alarm_email="operator@example.org",
        model="model_build/starter/starter.safetensors",
        reserved_concurrency="0",
        auth="jwt",
        jwt_issuer="https://id.example.org/pool",
        jwt_audiences="web, phone",
        open_pages="true",
        monthly_budget_usd="75",
        throttle="7:9",
    )
    assert settings == ENVIRONMENTS["prod"](
        alarm_email="operator@example.org",
        reserved_concurrency=0,
        auth="jwt",
        jwt_issuer="https://id.example.org/pool",
        jwt_audiences=("web", "phone"),
        open_pages=True,
        monthly_budget_usd=75,
        throttle=Throttle(rate=7, burst=9),
    )
    assert settings.model == STARTER_MODEL


def test_a_throttle_on_the_command_line_has_two_numbers() -> None:
    with pytest.raises(SettingsError, match="batch_throttle is '5', but it must be RATE:BURST"):
        from_context(batch_throttle="5")


def test_without_settings_the_environment_is_dev() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert from_context(**context) == ENVIRONMENTS["dev"]()


@pytest.mark.parametrize(
    ("context", "advice"),
    [
        (
            {"environment": "stage"},
            "'stage', but it must be one of dev, prod, emulator",
        ),
        ({"alarm_emial": "operator@example.org"}, "-c alarm_emial=... is not possible"),
        ({"memory_mb": "2048"}, "Change other settings in infra_cdk/settings.py"),
        (
            {"reserved_concurrency": "many"},
            "concurrency is 'many', but it must be a whole",
        ),
        ({"open_pages": "perhaps"}, "open_pages is 'perhaps', but it must be one of true, false"),
        ({"model": ""}, "model is '', but it must be text"),
    ],
)
def test_a_wrong_argument_is_refused(context: dict[str, str], advice: str) -> None:
    with pytest.raises(SettingsError, match=advice):
        from_context(**context)


def test_the_feature_flags_are_those_that_the_locked_cdk_recommends() -> None:
    """They were set before the first deployment because some of them rename resources."""
    package = Path(aws_cdk.__file__).parent / "_jsii"
    (library,) = package.glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(library) as archive:
        flags = archive.extractfile("package/recommended-feature-flags.json")
        assert flags is not None
        recommended = json.load(flags)
    assert json.loads((ROOT / "cdk.json").read_text())["context"] == recommended


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"\xff" * 64,
        (5).to_bytes(8, "little") + b"[1,2]",
        (2).to_bytes(8, "little") + b"{}",
        bundle_bytes("1")[:40],
    ],
)
def test_a_file_that_is_not_a_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.safetensors is not a model bundle"):
        identify(path)


def run_app(
    tmp_path: Path, environment: dict[str, str] | None = None, **context: str
) -> subprocess.CompletedProcess[str]:
    """Run the CDK app without credentials and without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = "http://127.0.0.1:9"
    return subprocess.run(
        [sys.executable, "-m", "infra_cdk.app"],
        cwd=ROOT,
        env=kept
        | {"HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "http_proxy": nowhere}
        | {"https_proxy": nowhere, "AWS_EC2_METADATA_DISABLED": "true"}
        | {"CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(tmp_path)}
        | (environment or {}),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_synthesis_needs_neither_network_nor_credentials(tmp_path: Path) -> None:
    done = run_app(tmp_path, architecture="x86_64")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "etiquette-dev.template.json").read_text())
    functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    assert functions[0]["Properties"]["Architectures"] == ["x86_64"]


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = run_app(tmp_path, model="absent.safetensors")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "etiquette: there is no model at" in done.stderr


def test_a_missing_cross_build_stops_a_deployment_but_not_a_synthesis(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text("#!/bin/sh\necho 'Platforms: linux/riscv64'\n")
    engine.chmod(0o755)
    foreign = "x86_64" if platform.machine() in ("arm64", "aarch64") else "arm64"
    environment = {"CDK_DOCKER": str(engine)}
    assert run_app(tmp_path, environment, architecture=foreign).returncode == 0
    done = run_app(tmp_path, environment | {"ETIQUETTE_CDK_BUILDS": "1"}, architecture=foreign)
    assert done.returncode == 1
    assert f"etiquette: the functions run on {foreign}" in done.stderr
    assert "tonistiigi/binfmt --install" in done.stderr


def test_a_missing_buildx_stops_a_deployment_but_not_a_synthesis(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text("#!/bin/sh\n[ $1 = --version ] && echo Docker version 28.2.2\n")
    engine.chmod(0o755)
    environment = {"CDK_DOCKER": str(engine)}
    assert run_app(tmp_path, environment).returncode == 0
    done = run_app(tmp_path, environment | {"ETIQUETTE_CDK_BUILDS": "1"})
    assert done.returncode == 1
    assert "has no plugin buildx" in done.stderr
    assert "apt-get install docker-buildx" in done.stderr


def test_the_operators_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    _, _, after = page.partition("## Settings")
    table, _, _ = after.partition("\n## ")
    assert {field.name for field in fields(Settings)} - {"given"} <= set(
        re.findall(r"`(\w+)`", table)
    )
