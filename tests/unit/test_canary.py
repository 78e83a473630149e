"""The questions during the canary, and the count after it."""

import io
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambda_src.pre_traffic_check import canary, canary_handler, post_traffic
from lambda_src.pre_traffic_check.canary import Tally, ask_during_shift

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:api"
NEW, OLD = "7", "6"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Lambda:
    """A fake of Lambda whose alias shifts a tenth of the requests for a number of looks.

    Parameters
    ----------
    looks
        Whether the alias has weights, look by look. The last one stays.
    answers
        What the new version answers, in turn: a status, or None if it raises an exception.
    """

    def __init__(self, looks: Sequence[bool], answers: Sequence[int | None] = (200,)) -> None:
        self._looks = list(looks)
        self._answers = itertools.cycle(answers)
        self.asked: list[dict[str, Any]] = []

    def get_alias(self, **asked: str) -> dict[str, Any]:
        assert asked == {"FunctionName": FUNCTION, "Name": "live"}
        shifts = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        weights = {"RoutingConfig": {"AdditionalVersionWeights": {NEW: 0.1}}} if shifts else {}
        return {"FunctionVersion": OLD, **weights}

    def invoke(self, **asked: Any) -> dict[str, Any]:
        assert asked["FunctionName"] == f"{FUNCTION}:live"
        self.asked.append(json.loads(json.loads(asked["Payload"])["body"]))
        if len(self.asked) % 10:
            return executed(OLD, {"statusCode": 500, "body": "{}"})
        status = next(self._answers)
        if status is None:
            return executed(NEW, {"errorMessage": "no"}) | {"FunctionError": "Unhandled"}
        return executed(NEW, {"statusCode": status, "body": "{}"})


def executed(version: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(payload).encode()), "ExecutedVersion": version}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """A clock that only sleeping moves, and what is left of a quarter of an hour."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    for module in (canary, post_traffic):
        monkeypatch.setattr(module.time, "sleep", sleep)
        monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("VERSION_ARN", f"{FUNCTION}:{NEW}")
    monkeypatch.setenv("ALIAS", "live")
    return lambda: 900 - now[0]


def ask(functions: Lambda, clock: Callable[[], float]) -> Tally:
    return ask_during_shift(functions, f"{FUNCTION}:{NEW}", "live", seconds_left=clock)


def test_drafts_go_through_the_alias_from_the_beginning_of_the_shift_to_its_end(
    clock: Callable[[], float],
) -> None:
    functions = Lambda([False] * 5 + [True] * 100 + [False])
    tally = ask(functions, clock)
    assert (tally.asked, tally.answered, tally.failures) == (100, 10, [])
    assert all(question["draft"] for question in functions.asked)  # no metric counts them
    assert "100 questions through the alias; 10 reached the new version" in str(tally)


def test_only_what_the_new_version_answers_counts(clock: Callable[[], float]) -> None:
    tally = ask(Lambda([True] * 40 + [False], answers=(200, 503, None)), clock)
    assert tally.answered == 2
    assert len(tally.failures) == 2
    assert "status 503" in str(tally)
    assert "the function failed" in tally.failures[1]


def test_without_a_shift_the_function_ends(clock: Callable[[], float]) -> None:
    assert ask(Lambda([False]), clock).asked == 0
    assert clock() > 600


def test_the_function_ends_before_its_own_time_limit(clock: Callable[[], float]) -> None:
    tally = ask(Lambda([True]), clock)
    assert 1600 < tally.asked < 1800
    assert 0 < clock() < 30


def test_the_handler_logs_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions = Lambda([True] * 20 + [False])
    monkeypatch.setattr("boto3.client", lambda *_, **__: functions)

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    given = canary_handler.handler({}, Context())
    assert given == {"asked": 20, "answered": 2, "failed": 0}
    assert "20 questions" in capsys.readouterr().out


class CloudWatch:
    """A fake whose metric arrives minute by minute."""

    def __init__(self, *looks: Sequence[int]) -> None:
        self._looks = list(looks)
        self.asked: list[dict[str, Any]] = []

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        sums = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return {"Datapoints": [{"Sum": float(each)} for each in sums]}


class CodeDeploy:
    """A fake that records what is reported."""

    def __init__(self) -> None:
        self.status = ""

    def put_lifecycle_event_hook_execution_status(self, **report: str) -> None:
        assert (report["deploymentId"], report["lifecycleEventHookExecutionId"]) == ("d-1", "e-1")
        self.status = report["status"]


def count(monkeypatch: pytest.MonkeyPatch, cloudwatch: Any) -> tuple[str, int]:
    codedeploy = CodeDeploy()
    clients = {"cloudwatch": cloudwatch, "codedeploy": codedeploy}
    monkeypatch.setattr("boto3.client", lambda name: clients[name])
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    given = post_traffic.handler(event, None)
    assert given["status"] == codedeploy.status
    return given["status"], given["requests"]


def test_the_requests_of_the_new_version_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudwatch = CloudWatch([], [12], [12, 11], [12, 11, 4])
    assert count(monkeypatch, cloudwatch) == ("Succeeded", 27)
    assert "the new version got 27 requests during the canary" in capsys.readouterr().out
    dimensions = {each["Name"]: each["Value"] for each in cloudwatch.asked[0]["Dimensions"]}
    assert dimensions == {
        "FunctionName": "api",
        "Resource": "api:live",
        "ExecutedVersion": NEW,
    }


def test_a_canary_without_requests_fails_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count(monkeypatch, CloudWatch([])) == ("Failed", 0)


def test_a_check_that_fails_itself_fails_the_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert count(monkeypatch, None)[0] == "Failed"
    assert "the post-traffic check itself failed" in capsys.readouterr().out


def test_only_requests_before_the_end_of_the_canary_count() -> None:
    cloudwatch = CloudWatch([3])
    assert post_traffic.requests_during_canary(cloudwatch, STARTED) == 3
    # The minute in which all requests moved to the new version belongs to no canary.
    assert {each["EndTime"] for each in cloudwatch.asked} == {
        datetime(2026, 1, 2, 3, 3, tzinfo=UTC)
    }
    assert {each["EndTime"] - each["StartTime"] for each in cloudwatch.asked} == {
        timedelta(hours=1)
    }
