"""The metrics that the service writes, read from the output of a new process."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from lambda_src import metrics
from lambda_src.api.telemetry import Telemetry
from tests.support.api_gateway import gateway_event
from tests.support.cloudwatch.emf import read_log
from tests.support.paths import ROOT, STARTER

Body = Mapping[str, object] | None
PROGRAM = """
import json, sys
from lambda_src.api.handler import handler
from tests.support.api_gateway import lambda_context
for line in sys.stdin:
    answer = handler(json.loads(line), lambda_context())
    print(answer["statusCode"], file=sys.stderr)
"""
KNOWN = {"text": "How do I merge two dictionaries in Python?"}
HALF_KNOWN = {"title": "python pandas qqxzy wwvut zzyxw python list"}


def measure(*requests: tuple[str, Body]) -> dict[str, list[float]]:
    """Send requests to a new process; return the values of each metric by its name."""
    found = defaultdict(list)
    for metric, _, value in read_log(output(*requests)):
        assert metric.namespace == metrics.NAMESPACE
        assert metric.dimensions == frozenset({(metrics.SERVICE_DIMENSION, "here")})
        found[metric.name].append(value)
    return found


def output(*requests: tuple[str, Body]) -> bytes:
    """Send requests to a new process; return what it wrote to stdout."""
    events = [
        gateway_event(
            "GET" if body is None else "POST",
            path,
            None if body is None else json.dumps(body),
            route="POST /feedback" if path == "/feedback" else "$default",
        )
        for path, body in requests
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="\n".join(map(json.dumps, events)).encode(),
        cwd=ROOT,
        env=os.environ | {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_SERVICE": "here"},
        capture_output=True,
        check=True,
    )
    assert {line[:2] for line in done.stderr.splitlines()} == {b"20"}
    return done.stdout


def test_a_prediction_writes_every_declared_metric() -> None:
    found = measure(("/predict", KNOWN))
    assert set(found) == {metric.name for metric in metrics.PREDICTION_METRICS}
    assert all(len(values) == 1 for values in found.values())


def test_drafts_are_not_counted_as_predictions() -> None:
    found = measure(("/predict", {**KNOWN, "draft": True}), ("/predict", {**KNOWN, "draft": True}))
    assert found == {metrics.COLD_STARTS.name: [1]}


@pytest.mark.parametrize("first", [("/health", None), ("/predict", {**KNOWN, "draft": True})])
def test_a_cold_start_is_counted_once_whatever_the_first_request_is(
    first: tuple[str, Body],
) -> None:
    assert measure(("/predict", KNOWN), ("/predict", KNOWN), first)[metrics.COLD_STARTS.name] == [
        1,
        0,
    ]
    assert measure(first, first, ("/predict", KNOWN))[metrics.COLD_STARTS.name] == [1, 0]


def test_the_share_of_unknown_words() -> None:
    found = measure(("/predict", KNOWN), ("/predict", HALF_KNOWN))[metrics.UNKNOWN_WORD_SHARE.name]
    assert found == pytest.approx([0, 3 / 7])


def test_feedback_is_counted() -> None:
    feedback = {"prediction_id": str(uuid4()), "final_tags": ["python"]}
    found = measure(("/predict", KNOWN), ("/feedback", feedback))[metrics.FEEDBACKS.name]
    assert found == [0, 1]


def test_predictions_write_a_zero_so_that_silence_is_not_missing_data() -> None:
    found = measure(("/predict", KNOWN), ("/predict", KNOWN))
    assert found[metrics.FEEDBACKS.name] == [0, 0]


def test_the_handler_counts_failed_answers_only() -> None:
    program = """
from lambda_src.api import handler as served
from tests.support.api_gateway import gateway_event, lambda_context
for status in (200, 404, 500, 503):
    served._adapter = lambda event, context: {"statusCode": status}
    served.handler(gateway_event("GET", "/health"), lambda_context())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_SERVICE": "here"},
        capture_output=True,
        check=True,
    )
    counted = [each.metric.name for each in read_log(done.stdout)]
    assert counted.count(metrics.FAILED_ANSWERS.name) == 2


def test_a_failed_answer_is_counted_by_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    telemetry = Telemetry("here", Logger(service="here"))
    telemetry.record_failed_answer()
    telemetry.record_failed_answer()
    samples = read_log(capsys.readouterr().out.encode())
    assert [(each.metric.name, each.value) for each in samples] == [("FailedAnswers", 1)] * 2
    assert {each.metric.dimensions for each in samples} == {
        frozenset({("service", "here"), ("version", "7")})
    }


def test_an_event_does_not_reveal_the_order_of_the_words() -> None:
    orders = ("python pandas merge list", "list merge pandas python")
    asked = [("/predict", {"text": f"{words}."}) for words in orders]
    lines = [json.loads(line) for line in output(*asked).splitlines()]
    first, second = [each["terms"] for each in lines if each.get("event_type") == "prediction"]
    assert first == sorted(first)
    assert second == sorted(second)
    assert len(set(first) & set(second)) >= 4
