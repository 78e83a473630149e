"""Rollbacks, pins and the removal of old versions, against a fake Lambda service.

The fake has states that the emulator lacks, as AWS documents them: an inactive version, a failed
version, and a deployment that shifts requests.
"""

import doctest
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from lambda_src.pre_traffic_check import pin as pins
from lambda_src.pre_traffic_check.pin import Pin, pin_of
from scripts.releasing import cdk_deploy, deployed_settings, function, rollback, target
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function, Live, Version
from scripts.releasing.pinning import confirmed, refuse_if_pinned
from scripts.releasing.pruning import superfluous
from scripts.releasing.rollback import roll_back
from tests.support.paths import ROOT, STARTER

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:api"


class NotReadyError(Exception):
    pass


class Exceptions:
    SnapStartNotReadyException = NotReadyError
    ResourceNotReadyException = NotReadyError
    ResourceConflictException = NotReadyError


@dataclass
class FakeLambda:
    """Versions 1 to 3, of which 3 is live, with the methods of a boto3 client."""

    states: dict[int, str] = field(default_factory=lambda: dict.fromkeys((1, 2, 3), "Active"))
    alias: dict[str, Any] = field(
        default_factory=lambda: {"FunctionVersion": "3", "Description": "", "RevisionId": "r0"}
    )
    digests: dict[int, str] = field(default_factory=dict)
    """The digest of the model that a version reports, if it is not its own."""
    exceptions = Exceptions

    def get_paginator(self, operation: Literal["list_versions_by_function"]) -> "FakeLambda":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Versions": [configuration(number) for number in self.states]}]

    def get_alias(self, **_: str) -> dict[str, Any]:
        return self.alias

    def update_alias(self, **changes: str) -> None:
        assert changes["RevisionId"] == self.alias["RevisionId"]
        self.alias |= changes | {"RevisionId": f"{changes['RevisionId']}+"}

    def get_function_configuration(self, **asked: str) -> dict[str, str]:
        assert set(asked) == {"FunctionName"}
        number = int(asked["FunctionName"].rpartition(":")[2])
        state = self.states[number]
        if state == "Pending":
            self.states[number] = "Active"
        return {"State": state}

    def invoke(self, **asked: str) -> dict[str, Any]:
        assert set(asked) == {"FunctionName", "Payload"}
        number = int(asked["FunctionName"].rpartition(":")[2])
        assert json.loads(asked["Payload"])["rawPath"] == "/health"
        if self.states[number] == "Inactive":
            self.states[number] = "Pending"
            raise NotReadyError("Lambda is initializing your function")
        body = json.dumps({"model_sha256": self.digests.get(number, f"digest{number}")})
        return {"Payload": io.BytesIO(json.dumps({"statusCode": 200, "body": body}).encode())}


class FakeAccount:
    """The methods of boto3 clients that tell the account and its alias."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012"}

    def list_account_aliases(self) -> dict[str, list[str]]:
        return {"AccountAliases": ["example-dev"]}


class FakeTarget:
    """A deployment with the fake Lambda service."""

    stack = "etiquette-dev"
    environment = "dev"
    context: Mapping[str, str] = {}

    def __init__(self, client: FakeLambda, status: str = "UPDATE_COMPLETE") -> None:
        self._client = client
        self._status = status

    def client(self, service: Literal["lambda", "sts", "iam"]) -> FakeLambda | FakeAccount:
        return self._client if service == "lambda" else FakeAccount()

    def describe(self) -> dict[str, Any]:
        return {"StackStatus": self._status}

    def forget_warm_containers(self) -> None:
        pass


def configuration(number: int) -> dict[str, Any]:
    return {
        "Version": str(number),
        "Description": f"model=m{number} tags=7",
        "Environment": {"Variables": {"ETIQUETTE_MODEL_SHA256": f"digest{number}"}},
        "LastModified": "2026-11-22T14:00:00.000+0000",
        "Role": f"role{number}",
    }


def deployed(client: FakeLambda) -> Function:
    return Function(FakeTarget(client), f"{ARN}:live")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.releasing.rollback.time.sleep", lambda seconds: None)


def test_rollback_moves_live_to_the_version_before_and_pins_it() -> None:
    client = FakeLambda()
    roll_back(deployed(client), yes=True)
    assert client.alias["FunctionVersion"] == "2"
    assert deployed(client).live().pin == Pin(version=2, left=3)
    roll_back(deployed(client), yes=True)
    assert client.alias["FunctionVersion"] == "1"
    assert deployed(client).live().pin == Pin(version=1, left=3)


def test_an_inactive_version_becomes_active_before_live_moves() -> None:
    client = FakeLambda(states={2: "Inactive", 3: "Active"})
    roll_back(deployed(client), yes=True)
    assert client.states[2] == "Active"
    assert client.alias["FunctionVersion"] == "2"


def test_a_rollback_to_the_version_of_cloudformation_removes_the_pin() -> None:
    client = FakeLambda()
    roll_back(deployed(client), yes=True)
    roll_back(deployed(client), to=3, yes=True)
    assert client.alias["FunctionVersion"] == "3"
    assert client.alias["Description"] == ""


@pytest.mark.parametrize(
    ("client", "to", "advice"),
    [
        (FakeLambda(states={2: "Failed", 3: "Active"}), None, "Choose another version with --to"),
        (FakeLambda(states={3: "Active"}), None, "no version before version 3"),
        (FakeLambda(), 3, "already live"),
        (FakeLambda(), 9, "published versions are 1, 2, 3"),
        (
            FakeLambda(
                alias={
                    "FunctionVersion": "3",
                    "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}},
                    "RevisionId": "r0",
                }
            ),
            None,
            "cancel-update-stack --stack-name etiquette-dev",
        ),
    ],
)
def test_a_version_that_cannot_serve_does_not_become_live(
    client: FakeLambda, to: int | None, advice: str
) -> None:
    before = dict(client.alias)
    with pytest.raises(ReleaseError, match=advice):
        roll_back(deployed(client), to, yes=True)
    assert client.alias == before


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_IN_PROGRESS", "cancel-update-stack --stack-name etiquette-dev"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Wait until it has ended"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "Wait until it has ended"),
        ("DELETE_IN_PROGRESS", "Wait until it has ended"),
    ],
)
def test_live_does_not_move_while_cloudformation_changes_the_stack(
    status: str, advice: str
) -> None:
    """Between two steps, CodeDeploy may not shift requests, and the alias looks as usual."""
    client = FakeLambda()
    before = dict(client.alias)
    with pytest.raises(ReleaseError, match=advice) as refused:
        roll_back(Function(FakeTarget(client, status), f"{ARN}:live"), yes=True)  # type: ignore[arg-type]
    assert status in str(refused.value)
    assert client.alias == before


def test_a_rollback_shows_the_account_and_asks(capsys: pytest.CaptureFixture[str]) -> None:
    client = FakeLambda()
    with pytest.raises(ReleaseError, match="pass --yes"):
        roll_back(deployed(client), yes=False)
    shown = "account 123456789012 (example-dev), region eu-west-1, stack etiquette-dev"
    assert shown in capsys.readouterr().err
    assert client.alias["FunctionVersion"] == "3"


def test_a_version_that_reports_another_model_does_not_become_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = FakeLambda(digests={2: "another"})
    monkeypatch.setattr(rollback, "WAKE_SECONDS", 0)
    with pytest.raises(ReleaseError, match="the model another"):
        roll_back(deployed(client), yes=True)
    assert client.alias["FunctionVersion"] == "3"


def test_a_pin_stops_deployments_until_it_is_confirmed_or_live_has_moved() -> None:
    client = FakeLambda()
    refuse_if_pinned(deployed(client))
    roll_back(deployed(client), yes=True)
    with pytest.raises(ReleaseError, match="--confirm-rollback"):
        refuse_if_pinned(deployed(client))
    client.alias["Description"] = str(Pin(2, 3, confirmed=True))
    refuse_if_pinned(deployed(client))
    client.alias |= {"Description": str(Pin(2, 3)), "FunctionVersion": "4"}
    assert deployed(client).live().pin is None
    refuse_if_pinned(deployed(client))


def test_a_confirmed_deployment_moves_live() -> None:
    client = FakeLambda()
    roll_back(deployed(client), yes=True)
    with confirmed(deployed(client)):
        refuse_if_pinned(deployed(client))
        client.alias["FunctionVersion"] = "4"  # as CloudFormation does
    refuse_if_pinned(deployed(client))
    assert deployed(client).live().pin is None


def test_a_confirmed_deployment_that_fails_keeps_the_pin() -> None:
    client = FakeLambda()
    roll_back(deployed(client), yes=True)
    with pytest.raises(KeyboardInterrupt), confirmed(deployed(client)):
        raise KeyboardInterrupt
    assert deployed(client).live().pin == Pin(version=2, left=3)


def test_a_confirmed_deployment_without_changes_keeps_the_pin_and_fails() -> None:
    client = FakeLambda()
    roll_back(deployed(client), yes=True)
    with pytest.raises(ReleaseError, match="nothing to change"), confirmed(deployed(client)):
        pass
    assert deployed(client).live().pin == Pin(version=2, left=3)


@pytest.mark.parametrize("pin", [Pin(1, 2), Pin(10, 12, confirmed=True)])
def test_a_pin_survives_formatting_and_parsing(pin: Pin) -> None:
    assert pin_of(str(pin), pin.version) == pin


def test_the_pin_of_a_rollback_without_a_checkout_is_understood() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    (version, description) = re.findall(
        r"update-alias .*--function-version (\d+) \\\n +--description '(.+)'", page
    )[0]
    assert pin_of(description, int(version)) == Pin(6, 7)


def test_any_other_description_is_not_a_pin() -> None:
    assert pin_of("", 1) is None
    assert pin_of("moved by hand", 1) is None


@pytest.mark.parametrize(
    ("numbers", "live", "pruned"),
    [
        ([3, 2, 1], Live(3, None, None, "r"), []),
        ([5, 4, 3, 2, 1], Live(5, None, None, "r"), [2, 1]),
        ([5, 4, 3, 2, 1], Live(2, Pin(2, 5), None, "r"), []),
        ([7, 6, 5, 3, 2, 1], Live(3, None, 7, "r"), [1]),
        ([8, 7, 6, 4, 2, 1], Live(1, Pin(1, 4), None, "r"), [2]),
    ],
)
def test_live_and_the_version_before_it_are_never_removed(
    numbers: list[int], live: Live, pruned: list[int]
) -> None:
    versions = [Version(number, {}, "", "", "", "") for number in numbers]
    assert [each.number for each in superfluous(versions, live)] == pruned


@pytest.mark.parametrize("module", [deployed_settings, function, pins, target])
def test_the_examples_in_docstrings_are_correct(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["release", "--model", "README.md", "--yes"], "train a new one"),
        (["release", "--model", STARTER], "Not a terminal: pass --yes"),
        (["release", "--model", STARTER, "-c", "model=other"], "use the option --model instead"),
        (["rollback"], "Sign in with 'aws sso login'"),
        (["releases", "--environment", "emulator", "--emulator", "none"], "--name none up"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(words: list[str | Path], advice: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.release_commands", *words],
        cwd=ROOT,
        env=kept
        | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        | {"AWS_EC2_METADATA_DISABLED": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{words[0]}: ")
    assert advice in line


def test_the_stacks_of_a_synthesized_folder_are_found(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack"}
    artifacts = {
        "etiquette-prod": {**stack, "environment": "aws://unknown-account/unknown-region"},
        "etiquette-prod-probe": {**stack, "environment": "aws://unknown-account/us-east-1"},
        "etiquette-prod.assets": {"type": "cdk:asset-manifest"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    assert cdk_deploy.stacks_in(tmp_path) == {
        "etiquette-prod": None,
        "etiquette-prod-probe": "us-east-1",
    }
