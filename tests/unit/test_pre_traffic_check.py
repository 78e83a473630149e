"""The pre-traffic check: what it accepts and rejects, and that it always reports to CodeDeploy.

The version under test is the real application with the starter model, called in this process, or a
fake that fails in a given way. tests/system/one_deployment checks a deployed version.
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
from lambda_src.pre_traffic_check import handler
from lambda_src.pre_traffic_check.check import MIN_QUESTIONS_WITH_TAGS, QUESTIONS, find_problem
from lambda_src.pre_traffic_check.pin import Pin
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
    """A fake of Lambda with one version, whose answers `serve` makes."""

    def __init__(
        self, serve: Serve, *, description: str = "", states: Sequence[str] = ("Active",)
    ) -> None:
        self._serve = serve
        self._alias = {"FunctionVersion": "6", "Description": description}
        self._states = list(states)
        self.started_questions = 0

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
        if asked == {"FunctionName": "canary-questions", "InvocationType": "Event"}:
            self.started_questions += 1
            return {}
        assert set(asked) == {"FunctionName", "Payload"}
        assert asked["FunctionName"] == VERSION
        given = self._serve(json.loads(asked["Payload"]))
        if isinstance(given, Exception):
            raise given
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in given else {}
        return {"Payload": io.BytesIO(json.dumps(given).encode()), **failed}


class CodeDeploy:
    """A fake that records what is reported to CodeDeploy, which no emulator has."""

    def __init__(self) -> None:
        self.reports: list[dict[str, str]] = []

    def put_lifecycle_event_hook_execution_status(self, **report: str) -> None:
        self.reports.append(report)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION_ARN", VERSION)
    monkeypatch.setenv("ALIAS", "live")
    monkeypatch.setenv("CANARY_QUESTIONS", "canary-questions")
    monkeypatch.setattr("lambda_src.pre_traffic_check.handler.time.sleep", lambda seconds: None)


def run(monkeypatch: pytest.MonkeyPatch, functions: Functions) -> tuple[str, str | None]:
    """Run the handler; return the status that it reports and the problem that it found."""
    codedeploy = CodeDeploy()
    clients = {"lambda": functions, "codedeploy": codedeploy}
    monkeypatch.setattr(
        "lambda_src.pre_traffic_check.handler.boto3.client", lambda name, **_: clients[name]
    )
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    given = handler.handler(event, None)
    (report,) = codedeploy.reports
    assert report == {
        "deploymentId": "d-1",
        "lifecycleEventHookExecutionId": "e-1",
        "status": given["status"],
    }
    return report["status"], given["problem"]


@pytest.fixture
def event_loop_of_the_thread() -> Iterator[None]:
    """Mangum uses an event loop, and newer Pythons do not make one implicitly."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("event_loop_of_the_thread")
def test_the_starter_model_passes(monkeypatch: pytest.MonkeyPatch, starter: TagModel) -> None:
    settings = Settings.from_environment({"ETIQUETTE_MODEL": str(STARTER)})
    application = Mangum(create_app(starter, settings), lifespan="off")
    functions = Functions(lambda event: application(event, None))  # type: ignore[arg-type]
    assert run(monkeypatch, functions) == ("Succeeded", None)
    assert functions.started_questions == 1


def test_a_version_that_failed_the_check_gets_no_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Functions(lambda _: answer(500))
    assert run(monkeypatch, functions)[0] == "Failed"
    assert functions.started_questions == 0


def test_there_are_ten_different_questions() -> None:
    assert len(QUESTIONS) == 10
    assert len({question["title"] for question in QUESTIONS}) == 10


@pytest.mark.parametrize(
    ("serve", "problem"),
    [
        (lambda _: {"errorMessage": "Task timed out after 15.00 seconds"}, "Task timed out"),
        (lambda _: ReadTimeoutError(endpoint_url="lambda"), "Read timeout"),
        (lambda _: {}, "did not return an HTTP answer"),
        (lambda _: {"statusCode": 200, "body": ""}, "did not return an HTTP answer"),
        (lambda _: answer(500), "it answered with status 500"),
        (lambda _: answer(predicted_tags="python"), "that POST /predict promises"),
        (lambda _: answer(predicted_tags=["java"]), "that POST /predict promises"),
        (lambda _: answer(suggestions=[{"tag": "python"}]), "that POST /predict promises"),
        (
            lambda _: answer(suggestions=[{"tag": "python", "confidence": 7}]),
            "that POST /predict promises",
        ),
        (lambda _: answer(prediction_id=None), "that POST /predict promises"),
        (lambda _: answer(predicted_tags=[], suggestions=[]), "only 0 of 10 questions got a tag"),
    ],
)
def test_a_wrong_answer_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, problem: str
) -> None:
    status, found = run(monkeypatch, Functions(serve))
    assert status == "Failed"
    assert problem in str(found)


def test_a_model_may_suggest_nothing_for_some_questions_but_not_for_most() -> None:
    def silent_after(number: int) -> Serve:
        asked: list[Any] = []

        def serve(event: dict[str, Any]) -> Any:
            asked.append(event)
            return answer() if len(asked) <= number else answer(predicted_tags=[], suggestions=[])

        return serve

    assert find_problem(Functions(silent_after(MIN_QUESTIONS_WITH_TAGS)), VERSION) is None
    assert "only 6 of 10" in str(
        find_problem(Functions(silent_after(MIN_QUESTIONS_WITH_TAGS - 1)), VERSION)
    )


def test_the_questions_are_drafts_so_that_no_metric_counts_them() -> None:
    events: list[dict[str, Any]] = []

    def serve(event: dict[str, Any]) -> Any:
        events.append(event)
        return answer()

    find_problem(Functions(serve), VERSION)
    assert [json.loads(event["body"])["draft"] for event in events] == [True] * 10
    assert {event["rawPath"] for event in events} == {"/predict"}


def test_after_a_rollback_a_deployment_needs_a_confirmation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever somebody deploys with: scripts/release, scripts/cdk or neither of them."""
    pinned = Functions(lambda _: answer(), description=str(Pin(6, 5)))
    status, problem = run(monkeypatch, pinned)
    assert status == "Failed"
    assert "--confirm-rollback" in str(problem)
    confirmed = Functions(lambda _: answer(), description=str(Pin(6, 5, confirmed=True)))
    assert run(monkeypatch, confirmed)[0] == "Succeeded"


def test_the_check_waits_for_the_snapshot_and_for_its_permission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Functions(lambda _: answer(), states=["denied", "denied", "Pending", "Active"])
    assert run(monkeypatch, slow)[0] == "Succeeded"
    failed = Functions(lambda _: answer(), states=["Pending", "Failed"])
    assert run(monkeypatch, failed)[0] == "Failed"
