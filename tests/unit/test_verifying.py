"""The checks of scripts/verify, against a fake deployment whose every part can be wrong.

tests/system/one_deployment/test_verify.py runs the command on the emulator.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scripts.releasing.target import Target
from scripts.shared.terminal import UserError
from scripts.verify_command import InAccount
from scripts.verifying.checks import QUESTION, Outcome, Result, Verification
from scripts.verifying.deployed import Reply

OUTPUTS = {
    "Auth": "none",
    "FunctionAlias": "arn:aws:lambda:eu-west-1:123456789012:function:api:live",
    "ApiFunctionLogGroup": "function-log",
    "PageTopic": "arn:aws:sns:eu-west-1:123456789012:page",
    "TicketTopic": "arn:aws:sns:eu-west-1:123456789012:ticket",
}
EMF = json.dumps({"_aws": {}, "Predictions": 1})
ACTION = "Successfully executed action arn:aws:sns:eu-west-1:123456789012:ticket"


class Clients:
    """Fakes of the AWS clients, which answer from attributes that a test can change."""

    def __init__(self) -> None:
        self.state = "Active"
        self.lines = [EMF]
        self.sums: dict[str, float] = {"Predictions": 1, "Invocations": 12}
        self.subscription = "arn:aws:sns:eu-west-1:123456789012:page:1"
        self.history = {"StateUpdate": ["updated"], "Action": [ACTION]}
        self.set: list[tuple[str, str]] = []
        self.raised = False

    def get_function_configuration(self, **asked: str) -> dict[str, Any]:
        assert asked == {"FunctionName": "api", "Qualifier": "live"}
        variables = {"ETIQUETTE_MODEL_SHA256": "abc"}
        return {"Version": "7", "State": self.state, "Environment": {"Variables": variables}}

    def get_paginator(self, name: str) -> "Clients":
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        assert asked["logGroupName"] == "function-log"
        return [{"events": [{"message": line} for line in self.lines]}]

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        total = self.sums[asked["MetricName"]]
        return {"Datapoints": [{"Sum": total}] if total else []}

    def list_subscriptions_by_topic(self, **asked: str) -> dict[str, Any]:
        assert asked["TopicArn"] in OUTPUTS.values()
        found = [{"SubscriptionArn": self.subscription}] if self.subscription else []
        return {"Subscriptions": found}

    def describe_alarms(self, **asked: list[str]) -> dict[str, Any]:
        (name,) = asked["AlarmNames"]
        raised = self.raised and name.endswith("-server-errors")
        return {"MetricAlarms": [{"StateValue": "ALARM" if raised else "OK"}]}

    def set_alarm_state(self, **asked: str) -> None:
        self.set.append((asked["AlarmName"], asked["StateValue"]))

    def describe_alarm_history(self, **asked: Any) -> dict[str, Any]:
        summaries = self.history[asked["HistoryItemType"]]
        return {"AlarmHistoryItems": [{"HistorySummary": each} for each in summaries]}


class Deployment:
    """A fake deployment."""

    def __init__(self, environment: str = "prod", auth: str = "none") -> None:
        self.environment = environment
        self.stack = f"etiquette-{environment}"
        self.outputs = OUTPUTS | {"Auth": auth}
        self.clients = Clients()
        self.replies = {
            "/health": Reply(200, b'{"model_sha256": "abc"}'),
            "/predict": Reply(200, b'{"predicted_tags": ["python"]}'),
        }
        self.without_credentials = Reply(401, b"{}")

    def client(self, service: str) -> Clients:
        assert service in {"lambda", "logs", "cloudwatch", "sns"}
        return self.clients

    def request(self, path: str, body: Any = None, *, with_credentials: bool = True) -> Reply:
        assert body in (None, {"text": QUESTION})
        return self.replies[path] if with_credentials else self.without_credentials


def verify(deployment: Deployment, *, page: bool = False) -> list[Result]:
    checks = Verification(deployment, patience=30, page=page, sleep=lambda _: None)
    return list(checks.run())


def failed(results: Sequence[Result]) -> list[str]:
    return [each.check for each in results if each.outcome is Outcome.FAILED]


def test_a_deployment_that_works_passes_every_check() -> None:
    results = verify(Deployment(auth="jwt"), page=True)
    assert {each.outcome for each in results} == {Outcome.PASSED}
    assert len(results) == 10
    assert str(results[0]) == "ok: live version: version 7 is Active"


@pytest.mark.parametrize(
    ("break_it", "check"),
    [
        (lambda it: setattr(it.clients, "state", "Failed"), "live version"),
        (lambda it: it.replies.update({"/health": Reply(503, b"")}), "/health"),
        (lambda it: it.replies.update({"/health": Reply(200, b"[]")}), "/health"),
        (
            lambda it: it.replies.update({"/health": Reply(200, b'{"model_sha256": "d"}')}),
            "/health",
        ),
        (lambda it: it.replies.update({"/health": Reply(0, b"", "no such name")}), "/health"),
        (lambda it: it.replies.update({"/predict": Reply(500, b"")}), "one prediction"),
        (lambda it: it.replies.update({"/predict": Reply(200, b"no JSON")}), "one prediction"),
        (lambda it: setattr(it, "without_credentials", Reply(200, b"{}")), "credentials"),
        (lambda it: setattr(it.clients, "lines", ["START"]), "metrics line"),
        (lambda it: it.clients.sums.update(Predictions=0), "Predictions in CloudWatch"),
        (lambda it: setattr(it.clients, "subscription", "PendingConfirmation"), "subscribers"),
        (lambda it: setattr(it.clients, "subscription", ""), "subscribers"),
        (lambda it: it.clients.history.update(StateUpdate=[]), "etiquette-prod-server-errors"),
        (lambda it: it.clients.history.update(Action=[]), "etiquette-prod-server-errors"),
        (
            lambda it: it.clients.history.update(Action=["Failed to execute action"]),
            "etiquette-prod-server-errors",
        ),
    ],
)
def test_what_is_wrong_fails_its_check_and_no_other(
    break_it: Callable[[Deployment], None], check: str
) -> None:
    deployment = Deployment(auth="jwt")
    break_it(deployment)
    (found,) = failed(verify(deployment))
    assert check in found


def test_requests_that_aws_signs_are_refused_with_403_without_a_signature() -> None:
    deployment = Deployment(auth="iam")
    assert failed(verify(deployment)) == ["a request without credentials"]
    deployment.without_credentials = Reply(403, b"{}")
    assert failed(verify(deployment)) == []


def test_the_alarm_is_put_back() -> None:
    deployment = Deployment()
    verify(deployment, page=True)
    assert deployment.clients.set == [
        ("etiquette-prod-server-errors", "ALARM"),
        ("etiquette-prod-server-errors", "OK"),
        ("etiquette-prod-failed-requests", "ALARM"),
        ("etiquette-prod-failed-requests", "OK"),
    ]


def test_an_alarm_that_is_raised_already_stays_as_it_is() -> None:
    deployment = Deployment()
    deployment.clients.raised = True
    (result,) = (each for each in verify(deployment) if each.outcome is Outcome.FAILED)
    assert "is raised already, and not by this drill" in result.detail
    assert deployment.clients.set == []


def test_what_cannot_be_checked_is_named() -> None:
    deployment = Deployment("emulator")
    deployment.clients.subscription = ""
    deployment.clients.history["Action"] = []
    results = verify(deployment)
    assert failed(results) == []
    named = [str(each) for each in results if "not checked here" in str(each)]
    assert [each.partition(": ")[2].partition(":")[0] for each in named] == [
        "a request without credentials",
        "the metric Predictions in CloudWatch",
        "the canary's requests",
        "subscribers of the alarms",
        "the alarm etiquette-emulator-server-errors",
    ]


def test_without_a_canary_nothing_is_wrong() -> None:
    deployment = Deployment()
    deployment.clients.sums["Invocations"] = 0
    results = {each.check: each for each in verify(deployment)}
    assert results["the canary's requests"].outcome is Outcome.NOT_CHECKED


class Api(BaseHTTPRequestHandler):
    """Answers with what it got, and refuses requests without a header `authorization`."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: Any) -> None:
        given = self.headers.get("authorization", "")
        content = json.dumps({"path": self.path, "body": body, "authorization": given}).encode()
        self.send_response(200 if given else 401)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def in_account(
    api: str, auth: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> InAccount:
    outputs = {"ApiUrl": f"{api}/", "Auth": auth}
    monkeypatch.setattr(Target, "outputs", lambda _: outputs)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for a test")
    return InAccount(Target("prod", "etiquette-prod"), token)


@pytest.mark.parametrize(
    ("auth", "begins"),
    [("jwt", "Bearer secret"), ("iam", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")],
)
def test_requests_carry_what_the_api_requires(
    api: str, auth: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = in_account(api, auth, "secret", monkeypatch)
    reply = deployed.request("/predict", {"text": QUESTION})
    got = json.loads(reply.body)
    assert (reply.status, got["path"], got["body"]) == (200, "/predict", {"text": QUESTION})
    assert got["authorization"].startswith(begins)
    assert deployed.request("/health", with_credentials=False).status == 401


def test_an_address_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = in_account("https://api.invalid", "none", None, monkeypatch)
    reply = deployed.request("/health")
    assert str(reply).startswith("there was no answer: https://api.invalid/health: ")


def test_a_missing_token_is_named(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="pass --token TOKEN"):
        in_account(api, "jwt", None, monkeypatch).request("/health")
