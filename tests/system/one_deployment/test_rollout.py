"""The deployed pre-traffic check, which asks the deployed function with its own role.

The emulator has no CodeDeploy: a server in this test receives the calls instead.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lambda_src.pre_traffic_check.pin import Pin
from scripts.emulator.account import client
from scripts.emulator.logs import function_lines
from tests.system.facts import Release
from tests.system.one_deployment.conftest import without_access_to_the_model

EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}


class CodeDeploy(ThreadingHTTPServer):
    """Accepts any call, answers as AWS does, and records the calls."""

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Answer)
        self.calls: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: CodeDeploy

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append((self.headers["x-amz-target"].rpartition(".")[2], said))
        content = json.dumps({"lifecycleEventHookExecutionId": "e-1"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def codedeploy(first_release: Release) -> Iterator[CodeDeploy]:
    server = CodeDeploy(first_release.deployment.aws.state.host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def check(first_release: Release, codedeploy: CodeDeploy) -> str:
    """The name of the check's function, which calls the CodeDeploy of this test."""
    aws = first_release.deployment.aws
    functions = client(aws, "lambda")
    (configuration,) = (
        each
        for each in functions.list_functions()["Functions"]
        if "CANARY_QUESTIONS" in each.get("Environment", {}).get("Variables", {})
    )
    name = str(configuration["FunctionName"])
    variables = configuration["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": variables | {"AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.url}},
    )
    # The emulator requires the permission to list aliases where AWS requires the one to get one.
    statement = {"Effect": "Allow", "Action": "lambda:ListAliases", "Resource": "*"}
    client(aws, "iam").put_role_policy(
        RoleName=configuration["Role"].rpartition("/")[2],
        PolicyName="Emulator",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return name


def run(release: Release, check: str) -> dict[str, Any]:
    functions = client(release.deployment.aws, "lambda")
    answer = functions.invoke(FunctionName=check, Payload=json.dumps(EVENT).encode())
    given = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, given
    return dict(given)


def test_the_deployed_version_passes(
    first_release: Release, codedeploy: CodeDeploy, check: str
) -> None:
    before = len(function_lines(first_release.deployment))
    assert run(first_release, check) == {"status": "Succeeded", "problem": None}
    ((operation, status),) = codedeploy.calls
    assert operation == "PutLifecycleEventHookExecutionStatus"
    assert status == {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "e-1",
        "status": "Succeeded",
    }
    lines = function_lines(first_release.deployment)[before:]
    assert not [line for line in lines if '"prediction"' in line], "drafts are not counted"


def test_a_pinned_alias_fails_the_check(
    first_release: Release, codedeploy: CodeDeploy, check: str
) -> None:
    functions = client(first_release.deployment.aws, "lambda")
    alias = {"FunctionName": first_release.function, "Name": "live"}
    live = Release.read(first_release.deployment).live
    functions.update_alias(**alias, Description=str(Pin(int(live), 99)))
    try:
        given = run(first_release, check)
    finally:
        functions.update_alias(**alias, Description="")
    assert given["status"] == "Failed"
    assert codedeploy.calls[0][1]["status"] == "Failed"
    assert "--confirm-rollback" in given["problem"]


def test_a_version_that_does_not_start_fails_the_check(
    first_release: Release, codedeploy: CodeDeploy, check: str
) -> None:
    with without_access_to_the_model(first_release):
        given = run(first_release, check)
    assert given["status"] == "Failed"
    assert given["problem"].startswith("question 1: the function failed")
    assert codedeploy.calls[0][1]["status"] == "Failed"
