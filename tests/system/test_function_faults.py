"""The function's container runs out of memory or of room, and is killed in a request."""

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.emulator.local_aws import LocalAws
from tests.support.api_gateway import gateway_event
from tests.support.paths import STARTER
from tests.system.containers import RunningFunction, running

pytestmark = pytest.mark.faults

DIGEST = hashlib.sha256(STARTER.read_bytes()).hexdigest()
MODEL = (
    *("--volume", f"{STARTER.parent}:/opt/model:ro"),
    *("--env", "ETIQUETTE_MODEL=/opt/model/starter.safetensors"),
    *("--env", f"ETIQUETTE_MODEL_SHA256={DIGEST}"),
)


def predict(function: RunningFunction, text: str) -> tuple[int, dict[str, object]]:
    """Ask the function; return the status of the invocation, and the answer's body."""
    answer = function.invoke(gateway_event("POST", "/predict", json.dumps({"text": text})))
    if answer.status != 200 or not answer.body:
        return answer.status, {}
    response = json.loads(answer.body)
    return answer.status, json.loads(response["body"]) if "body" in response else response


def events(function: RunningFunction) -> list[dict[str, object]]:
    lines = function.log().splitlines()
    return [json.loads(line) for line in lines if b'"event_version"' in line]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def requests(function: RunningFunction) -> int:
    """How many requests the function was given."""
    return function.output().count("START RequestId")


def test_a_function_that_is_killed_in_a_request_loses_that_request_only(
    aws: LocalAws, image: str
) -> None:
    with running(aws, image, *MODEL) as function:
        answers = [predict(function, "How do I merge two dictionaries in Python?")]
        begun = requests(function)
        # A process that stands still is certainly in the middle of its request.
        function.signal("STOP")
        with ThreadPoolExecutor(1) as pool:
            interrupted = pool.submit(predict, function, "How do I undo a git commit?")
            wait_until(lambda: requests(function) > begun)
            function.signal("KILL")
            status, answer = interrupted.result(120)
        assert (status, answer) == (502, {})
        answers.append(predict(function, "Flexbox does not center my div in CSS"))
        assert [status for status, _ in answers] == [200, 200]
        recorded = [event["prediction_id"] for event in events(function)]
        assert recorded == [answer["prediction_id"] for _, answer in answers]


def test_a_function_that_needs_more_memory_than_it_has_is_killed_and_starts_again(
    aws: LocalAws, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # podman writes an empty file named oom into the current folder.
    monkeypatch.chdir(tmp_path)
    with running(aws, image, *MODEL, "--memory", "24m") as function:
        assert predict(function, "How do I merge two dictionaries in Python?") == (502, {})
        assert "signal: killed" in function.output()
        function.limit_memory("1024m")
        status, answer = predict(function, "How do I undo a git commit?")
        assert status == 200
        assert [event["prediction_id"] for event in events(function)] == [answer["prediction_id"]]


def test_a_full_temporary_folder_does_not_matter_to_requests(aws: LocalAws, image: str) -> None:
    small = ("--tmpfs", "/small:rw,size=64k,mode=1777", "--env", "TMPDIR=/small")
    with running(aws, image, *MODEL, *small) as function:
        function.run("head -c 100000 /dev/zero > /small/full || true; [ -s /small/full ]")
        status, answer = predict(function, "How do I merge two dictionaries in Python?")
        assert (status, answer["model_version"] is not None) == (200, True)
        assert len(events(function)) == 1
