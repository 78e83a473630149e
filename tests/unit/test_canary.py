"""The check before traffic: what it lets pass, what it stops, and that CodeDeploy always hears.

The version under test is the real application with the starter model, called in this process, or
one that fails in a given way. tests/system/test_release.py asks a deployed one.
"""

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from mangum import Mangum

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.canary import handler
from lambda_src.canary.examination import QUESTIONS, WITH_TAGS, examine
from lambda_src.canary.pin import Pin
from lambda_src.tagger import TagModel
from tests.support.paths import STARTER

VERSION = "arn:aws:lambda:eu-west-1:123456789012:function:api:7"
Serve = Callable[[dict[str, Any]], Any]


def answer(status: int = 200, **body: Any) -> dict[str, Any]:
    good = {
        "predicted_tags": ["python"],
        "suggestions": [{"tag": "python", "confidence": 0.9}],
        "prediction_id": "p",
        "model_version": "v",
    }
    return {"statusCode": status, "body": json.dumps(good | body)}


class Functions:
    """Lambda with one version, which answers as it is told."""

    def __init__(
        self, serve: Serve, *, description: str = "", states: Sequence[str] = ("Active",)
    ) -> None:
        self._serve = serve
        self._alias = {"FunctionVersion": "6", "Description": description}
        self._states = list(states)

    def get_alias(self, **asked: str) -> dict[str, str]:
        assert asked == {"FunctionName": VERSION.removesuffix(":7"), "Name": "live"}
        return self._alias

    def get_function_configuration(self, **asked: str) -> dict[str, str]:
        assert asked == {"FunctionName": VERSION}
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if state == "denied":
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetFunction")
        return {"State": state}

    def invoke(self, **asked: str) -> dict[str, Any]:
        assert set(asked) == {"FunctionName", "Payload"}
        assert asked["FunctionName"] == VERSION
        given = self._serve(json.loads(asked["Payload"]))
        if isinstance(given, Exception):
            raise given
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in given else {}
        return {"Payload": io.BytesIO(json.dumps(given).encode()), **failed}


class CodeDeploy:
    """Writes down what it is told: the one AWS service here that no emulator has."""

    def __init__(self) -> None:
        self.told: list[dict[str, str]] = []

    def put_lifecycle_event_hook_execution_status(self, **told: str) -> None:
        self.told.append(told)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION_ARN", VERSION)
    monkeypatch.setenv("ALIAS", "live")
    monkeypatch.setattr("lambda_src.canary.handler.time.sleep", lambda seconds: None)


def run(monkeypatch: pytest.MonkeyPatch, functions: Functions) -> tuple[str, str | None]:
    """What CodeDeploy is told, and what stands in the log."""
    codedeploy = CodeDeploy()
    clients = {"lambda": functions, "codedeploy": codedeploy}
    monkeypatch.setattr("lambda_src.canary.handler.boto3.client", lambda name, **_: clients[name])
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    given = handler.handler(event, None)
    (told,) = codedeploy.told
    assert told == {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "e-1",
        "status": given["status"],
    }
    return told["status"], given["complaint"]


@pytest.fixture
def event_loop_of_the_thread() -> Iterator[None]:
    """Newer Pythons make none that was not asked for, and Mangum uses one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("event_loop_of_the_thread")
def test_the_starter_model_may_serve(monkeypatch: pytest.MonkeyPatch, starter: TagModel) -> None:
    settings = Settings.from_environment({"ETIQUETTE_MODEL": str(STARTER)})
    application = Mangum(create_app(starter, settings), lifespan="off")
    functions = Functions(lambda event: application(event, None))  # type: ignore[arg-type]
    assert run(monkeypatch, functions) == ("Succeeded", None)


def test_ten_questions_of_ten_subjects() -> None:
    assert len(QUESTIONS) == 10
    assert len({question["title"] for question in QUESTIONS}) == 10


@pytest.mark.parametrize(
    ("serve", "complaint"),
    [
        (lambda _: {"errorMessage": "Task timed out after 15.00 seconds"}, "Task timed out"),
        (lambda _: ReadTimeoutError(endpoint_url="lambda"), "Read timeout"),
        (lambda _: {}, "no HTTP answer"),
        (lambda _: {"statusCode": 200, "body": ""}, "no HTTP answer"),
        (lambda _: answer(500), "it answered 500"),
        (lambda _: answer(predicted_tags="python"), "not what POST /predict promises"),
        (lambda _: answer(predicted_tags=["java"]), "not what POST /predict promises"),
        (lambda _: answer(suggestions=[{"tag": "python"}]), "not what POST /predict promises"),
        (lambda _: answer(suggestions=[{"tag": "python", "confidence": 7}]), "not what POST"),
        (lambda _: answer(prediction_id=None), "not what POST /predict promises"),
        (lambda _: answer(predicted_tags=[], suggestions=[]), "only 0 of 10 questions got a tag"),
    ],
)
def test_what_fails_does_not_serve(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, complaint: str
) -> None:
    status, found = run(monkeypatch, Functions(serve))
    assert status == "Failed"
    assert complaint in str(found)


def test_a_model_may_be_silent_on_some_but_not_on_most() -> None:
    def silent_after(number: int) -> Serve:
        asked: list[Any] = []

        def serve(event: dict[str, Any]) -> Any:
            asked.append(event)
            return answer() if len(asked) <= number else answer(predicted_tags=[], suggestions=[])

        return serve

    assert examine(Functions(silent_after(WITH_TAGS)), VERSION) is None
    assert "only 6 of 10" in str(examine(Functions(silent_after(WITH_TAGS - 1)), VERSION))


def test_questions_are_asked_as_drafts_so_that_no_metric_counts_them() -> None:
    events: list[dict[str, Any]] = []

    def serve(event: dict[str, Any]) -> Any:
        events.append(event)
        return answer()

    examine(Functions(serve), VERSION)
    assert [json.loads(event["body"])["draft"] for event in events] == [True] * 10
    assert {event["rawPath"] for event in events} == {"/predict"}


def test_after_a_rollback_nothing_moves_until_it_is_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However somebody deploys: with scripts/release, scripts/cdk or past both."""
    pinned = Functions(lambda _: answer(), description=str(Pin(6, 5)))
    status, complaint = run(monkeypatch, pinned)
    assert status == "Failed"
    assert "--confirm-rollback" in str(complaint)
    confirmed = Functions(lambda _: answer(), description=str(Pin(6, 5, confirmed=True)))
    assert run(monkeypatch, confirmed)[0] == "Succeeded"


def test_it_waits_for_the_snapshot_and_for_its_own_permission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Functions(lambda _: answer(), states=["denied", "denied", "Pending", "Active"])
    assert run(monkeypatch, slow)[0] == "Succeeded"
    failed = Functions(lambda _: answer(), states=["Pending", "Failed"])
    assert run(monkeypatch, failed)[0] == "Failed"
