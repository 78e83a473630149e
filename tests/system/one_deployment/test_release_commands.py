"""Releases, rollbacks and the kill switch by the scripts that a person types."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_src.model_signature import signature_path
from lambda_src.tagger import TagModel
from scripts.emulator.account import client
from scripts.emulator.deployment import deploy
from scripts.shared.machine import architecture
from scripts.shared.terminal import UserError
from tests.support.paths import ROOT, STARTER
from tests.system.facts import EMULATOR, Release
from tests.system.one_deployment.conftest import SECOND_VERSION, another_version, digest, read


def command(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run scripts/release, scripts/rollback or scripts/releases against the tests' emulator."""
    return subprocess.run(
        [ROOT / "scripts" / name, *arguments, "--environment", "emulator", "--emulator", EMULATOR],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def done(name: str, *arguments: str | Path) -> str:
    ended = command(name, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_releases_lists_each_version_with_its_model(
    second_release: Release, second_model: Path
) -> None:
    rows = done("releases").splitlines()
    (live,) = [row for row in rows if "(live)" in row]
    assert live.startswith("| 2 (live)")
    assert SECOND_VERSION in live
    assert digest(second_model)[:12] in live
    assert f"tags={len(TagModel.load(second_model).tags)}" in live
    assert any(row.startswith("| 1 ") and digest(STARTER)[:12] in row for row in rows)


@pytest.mark.usefixtures("second_release")
def test_a_missing_stack_is_reported_with_the_region() -> None:
    refused = command("releases", "-c", "service=absent")
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "There is no stack absent-emulator in us-east-1" in line


def test_rollback_moves_live_to_the_version_before_and_pins_it(second_release: Release) -> None:
    assert "pinned to 1 by a rollback from 2" in done("rollback", "--yes")
    assert Release.read(second_release.deployment).live == "1"
    health = read(second_release.deployment, "/health")
    assert health["model_sha256"] == second_release.versions["1"]
    assert "live is pinned to 1" in done("releases")


def test_a_deployment_stops_at_the_pin(second_release: Release, second_model: Path) -> None:
    aws = second_release.deployment.aws
    deploy: list[str | Path] = [ROOT / "scripts" / "cdk", "deploy", "--app", aws.folder / "cdk.out"]
    plain = subprocess.run(
        deploy, env=os.environ | aws.environment, capture_output=True, text=True, check=False
    )
    for refused in (plain, command("release", "--model", second_model, "--yes")):
        assert refused.returncode == 1
        assert "--confirm-rollback" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert Release.read(second_release.deployment).live == "1"


def test_releasing_the_same_model_again_does_not_move_live(
    second_release: Release, second_model: Path
) -> None:
    """CloudFormation compares templates: it does not notice that a rollback moved the alias."""
    same = command("release", "--model", second_model, "--yes", "--confirm-rollback")
    assert same.returncode == 1
    assert "nothing to change" in same.stderr
    assert "live is pinned to 1 by a rollback from 2\n" in done("releases")
    done("rollback", "--yes", "--to", "2")
    assert Release.read(second_release.deployment).live == "2"
    assert "pinned" not in done("releases")


class Evaluated(NamedTuple):
    """A model with the report of its evaluation."""

    model: Path
    report: Path


@pytest.fixture(scope="module")
def third(second_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    folder = tmp_path_factory.mktemp("third")
    model = another_version(second_model, folder / "third.safetensors", "2000.01.01-third")
    figures = dict.fromkeys(
        ("sample_jaccard", "sample_f1", "precision_at_1", "prediction_rate", "ece"), 0.25
    )
    report = folder / "report.json"
    report.write_text(json.dumps({"model_sha256": digest(model), **figures}))
    return Evaluated(model, report)


def test_a_confirmed_release_moves_live_and_removes_old_versions(
    second_release: Release, third: Evaluated
) -> None:
    iam = client(second_release.deployment.aws, "iam")
    roles_before = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    done("rollback", "--yes", "--to", "1")
    model, report = third
    said = done("release", "--model", model, "--report", report, "--yes", "--confirm-rollback")
    assert re.search(r"model +\| +\S+-\w+ \| +2000\.01\.01-third", said)
    assert "Tags added: none" in said
    assert "without a canary" in said
    now = Release.read(second_release.deployment)
    newest = max(now.versions, key=int)
    assert now.live == newest
    assert now.versions[newest] == digest(model)
    assert "1" not in now.versions
    assert "2" in now.versions
    assert len(now.versions) == 3
    roles = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert len(roles_before - roles) == len(roles - roles_before) == 1
    assert "sample_jaccard=0.250" in done("releases")
    health = read(second_release.deployment, "/health")
    assert health["model_sha256"] == digest(model)


ORIGIN = "https://example.org"


def variables(release: Release) -> dict[str, str]:
    """The environment variables of the live version."""
    functions = client(release.deployment.aws, "lambda")
    live = functions.get_function_configuration(FunctionName=release.function, Qualifier="live")
    return dict(live["Environment"]["Variables"])


@pytest.fixture(scope="module")
def signing_key(second_release: Release) -> str:
    """The ARN of a key in the emulator's KMS."""
    kms = client(second_release.deployment.aws, "kms")
    created = kms.create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    return str(created["Arn"])


@pytest.fixture(scope="module")
def public_key(signing_key: str) -> str:
    shown = command("sign_model", "--public-key", "--key", signing_key)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.strip()


def test_a_release_shows_the_account_and_what_it_changes(
    second_release: Release, third: Evaluated, signing_key: str, public_key: str
) -> None:
    before = variables(second_release)
    signed: list[str | Path] = [
        "--model",
        third.model,
        "--report",
        third.report,
        "--sign-with",
        signing_key,
    ]
    said = done("release", *signed, "--keep-settings", "-c", f"cors_origins={ORIGIN}",
                "-c", f"signing_key={public_key}", "--yes")  # fmt: skip
    assert "account 123456789012, region us-east-1, stack etiquette-emulator" in said
    assert f"cors_origins: default -> {ORIGIN}" in said
    assert re.search(r"leaves behind AWS::Lambda::Version Function/", said)
    assert f"signing_key: default -> {public_key}" in said
    signature = signature_path(third.model).read_bytes()
    assert variables(second_release) == before | {
        "ETIQUETTE_CORS_ORIGINS": ORIGIN,
        "ETIQUETTE_MODEL_SIGNATURE": base64.b64encode(signature).decode(),
        "ETIQUETTE_MODEL_SIGNING_KEY": public_key,
    }
    assert read(second_release.deployment, "/health")["model_sha256"] == digest(third.model)


def test_an_unsigned_model_is_refused(
    second_release: Release, second_model: Path, public_key: str
) -> None:
    assert variables(second_release)["ETIQUETTE_MODEL_SIGNING_KEY"] == public_key
    unsigned = command("release", "--model", second_model, "--keep-settings", "--yes")
    assert unsigned.returncode == 1
    assert "is not signed, but this deployment requires a signature" in unsigned.stderr
    assert "Traceback" not in unsigned.stderr


def test_a_deployment_without_a_live_setting_is_refused_by_every_command(
    second_release: Release,
) -> None:
    before = variables(second_release)
    model = before["ETIQUETTE_MODEL_SHA256"]
    aws = second_release.deployment.aws
    cdk: list[str | Path] = [ROOT / "scripts" / "cdk", "deploy", "-c", "environment=emulator"]
    engine = {"CDK_DOCKER": aws.engine.name}
    with_cdk = subprocess.run(
        [*cdk, "-c", f"architecture={architecture()}"],
        env=os.environ | aws.environment | engine,
        capture_output=True,
        text=True,
        check=False,
    )
    with_release = command("release", "--yes")
    for refused in (with_cdk, with_release):
        assert refused.returncode == 1
        assert f"cors_origins: {ORIGIN} -> default" in refused.stderr
        assert f"model: 2000.01.01-third ({model[:12]}) -> the starter" in refused.stderr
        assert "--keep-settings" in refused.stderr
        assert "-c NAME=default" in refused.stderr
    with pytest.raises(UserError, match="cors_origins"):
        deploy(aws)  # scripts/local_aws deploy
    assert variables(second_release) == before


def test_live_settings_are_kept_or_dropped_on_request(second_release: Release) -> None:
    before = variables(second_release)
    listed = done("releases")
    done("release", "--keep-settings", "--yes")
    assert variables(second_release) == before
    assert done("releases") == listed, "nothing has changed, not even the figures of the report"
    assert "sample_jaccard=0.250" in listed
    off = ("-c", "cors_origins=default", "-c", "signing_key=default")
    said = done("release", "--keep-settings", *off, "--yes")
    assert f"cors_origins: {ORIGIN} -> default" in said
    dropped = ("CORS_ORIGINS", "MODEL_SIGNATURE", "MODEL_SIGNING_KEY")
    kept = {key: value for key, value in before.items() if not key.endswith(dropped)}
    assert variables(second_release) == kept


def test_a_rollback_to_a_signed_version_needs_no_new_signature(
    second_release: Release, public_key: str
) -> None:
    unsigned = Release.read(second_release.deployment).live
    done("rollback", "--yes")
    assert variables(second_release)["ETIQUETTE_MODEL_SIGNING_KEY"] == public_key
    assert read(second_release.deployment, "/health")["status"] == "ok"
    done("rollback", "--yes", "--to", unsigned)


def test_the_kill_switch_stops_the_service_and_starts_it_again(second_release: Release) -> None:
    functions = client(second_release.deployment.aws, "lambda")

    def reserved() -> int | None:
        answer = functions.get_function_concurrency(FunctionName=second_release.function)
        found = answer.get("ReservedConcurrentExecutions")
        return None if found is None else int(found)

    assert "account 123456789012" in done("kill_switch", "stop", "--yes")
    assert reserved() == 0
    done("kill_switch", "start", "--yes")
    assert reserved() is None
    assert read(second_release.deployment, "/health")["status"] == "ok"
