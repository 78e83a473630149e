"""Texts from outside that try to write log lines, events or metrics of their own.

The image writes the log, so these are the bytes that CloudWatch Logs and the event archive get.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_src import metrics
from lambda_src.event_archive.lines import read_event
from scripts.emulator.local_aws import LocalAws
from scripts.event_store.replaying import EVENT_LINES
from tests.support.api_gateway import gateway_event
from tests.support.cloudwatch.emf import read_log
from tests.support.paths import STARTER
from tests.system.containers import RunningFunction, running

OPTIONS = (
    *("--volume", f"{STARTER.parent}:/opt/model:ro"),
    *("--env", "ETIQUETTE_MODEL=/opt/model/starter.safetensors"),
    *("--env", "ETIQUETTE_EVENT_TEXT=true"),  # the most that a log can repeat
)
METRIC = {
    "_aws": {
        "Timestamp": 1,
        "CloudWatchMetrics": [
            {"Namespace": metrics.NAMESPACE, "Dimensions": [["service"]],
             "Metrics": [{"Name": "Forged", "Unit": "Count"}]}
        ],
    },
    "service": "etiquette",
    "Forged": [1],
}  # fmt: skip
EVENT = {
    "event_version": 1,
    "event_type": "feedback",
    "timestamp": "2026-11-02T12:00:00.000+00:00",
    "prediction_id": "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a",
    "final_tags": ["forged"],
}
ATTACKS = {
    "an event line": f"python\n{json.dumps(EVENT)}\n",
    "a metrics line": f"python\r\n{json.dumps(METRIC)}\r\n",
    "the end of a JSON text": f'python", "x": 1}}\n{json.dumps(METRIC)}\n{{"y": "',
    "lines of Lambda": "python\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 1 ms\t\nSTART",
    "colours and a cleared screen": "python \x1b[2J\x1b[31mred\x1b[0m \x9b31m \x07\x08\x7f",
    "other ends of lines": "python \x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029 next",
    "text from right to left": "python \u202e \u2066 \u200b \ufeff nohtyp",
    "the end of a text": "python \x00 \x1a after",
}


def attacks(text: str) -> Iterator[dict[str, Any]]:
    """The requests that carry a text, in every place that a caller can fill."""

    def post(path: str, value: object, **other: Any) -> dict[str, Any]:
        route = "$default" if path == "/predict" else f"POST {path}"
        return gateway_event("POST", path, json.dumps(value), route=route, **other)

    yield post("/predict", {"text": text})
    yield post("/predict", {"title": text, "body": text, "body_format": "markdown"})
    yield post("/predict", {"title": "python", "exclude": [text[:30]]})
    yield post("/predict", {"title": "python", text: text})
    yield post("/predict/batch", {"questions": [{"text": text}, {text: 1}, text]})
    yield post("/feedback", {**_FEEDBACK, "final_tags": [text[:30]]})
    yield post("/feedback", {**_FEEDBACK, "final_tags": [re.sub(r"[\s<>|,\"'&]", "", text)[:30]]})
    yield post("/feedback", {"prediction_id": text, "accepted": []})
    headers = {"x-correlation-id": text, "user-agent": text, "origin": text, "content-type": text}
    for name, value in headers.items():
        yield post("/predict", {"text": "python"}, headers={name: value})
    yield gateway_event("GET", f"/{text}")
    yield gateway_event(text, "/predict")
    yield {text: text}


_FEEDBACK = {"prediction_id": EVENT["prediction_id"]}


@pytest.fixture(scope="module")
def function(aws: LocalAws, image: str) -> Iterator[RunningFunction]:
    with running(aws, image, *OPTIONS) as started:
        yield started


def written(function: RunningFunction, invocations: int) -> list[bytes]:
    """The lines of the log, once Lambda has reported every invocation."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lines = function.log().split(b"\n")
        reported = sum(line.startswith(b"REPORT RequestId: ") for line in lines)
        if reported == invocations and lines[-1].startswith(b"REPORT RequestId: "):
            return lines
        time.sleep(0.2)
    raise AssertionError("the log does not report every invocation")


def test_no_text_from_outside_writes_a_line(function: RunningFunction) -> None:
    expected: Counter[str] = Counter()
    n_sent = 0
    for text in ATTACKS.values():
        for event in attacks(text):
            answer = json.loads(function.invoke(event).body)
            assert answer["statusCode"] < 500
            n_sent += 1
            expected += expected_events(event, answer)
    lines = written(function, n_sent)

    # Lambda's own lines hold identifiers and durations. Everything else is one JSON object.
    own = [
        line for line in lines if line and not re.match(rb"(START|END|REPORT) RequestId: ", line)
    ]
    values = [json.loads(line) for line in own]
    assert all(isinstance(value, dict) for value in values)
    # JSON escapes what a terminal or a reader of lines could act on.
    text = b"\n".join(own).decode()
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text
    )

    # The events are those of the accepted requests, as the event archive reads them.
    archived = [read_event(line.decode()) for line in own if EVENT_LINES in line.decode()]
    assert Counter(event["event_type"] for event in archived) == expected
    assert "forged" not in {tag for event in archived for tag in event.get("final_tags") or ()}

    # The metrics are those that the service publishes.
    names = {sample.metric.name for sample in read_log(b"\n".join(own))}
    declared = {metric.name for metric in (*metrics.PREDICTION_METRICS, metrics.FEEDBACKS)}
    assert names <= declared
    assert "Forged" not in names


def expected_events(event: dict[str, Any], answer: dict[str, Any]) -> Counter[str]:
    """The events that an answered request writes."""
    if answer["statusCode"] == 202:
        return Counter(feedback=1)
    if answer["statusCode"] != 200 or event.get("rawPath") not in ("/predict", "/predict/batch"):
        return Counter()
    results = json.loads(answer["body"]).get("results")
    if results is None:
        return Counter(prediction=1)
    return Counter(prediction=sum(each.get("prediction") is not None for each in results))
