"""The event lines that the monitor, the drift detectors and the reports read."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from mangum import Mangum

from lambda_src.api.app import create_app
from lambda_src.api.events import http_event
from lambda_src.api.settings import Settings
from lambda_src.api.telemetry import MAX_EVENT_TEXT_BYTES
from lambda_src.tagger import TagModel
from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.bundle import read_bundle
from lambda_src.tagger.decoder import expected_jaccards
from lambda_src.tagger.model import RankerChoice
from lambda_src.tagger.rules import MAX_TAGS
from model_build.questions import Question
from tests.support.api_gateway import gateway_event, lambda_context
from tests.support.events import EventLog
from tests.support.paths import STARTER

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PYTHON = "How do I merge two dictionaries in Python?"
CLOUDWATCH_LIMIT = 256 * 1024 - 26
"""The size of the largest log event in bytes; CloudWatch Logs counts 26 bytes more for each."""
FEEDBACK = {"prediction_id": "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a", "final_tags": ["python"]}


def event_of(model: TagModel, title: str, body: str = "", **options: Any) -> dict[str, Any]:
    """The event of one prediction."""
    text = options.pop("event_text", False)
    log = EventLog(model, event_text=text)
    log.predict(NOON, title, body, **options)
    [line] = log.events()
    event: dict[str, Any] = json.loads(line)
    return event


def test_a_prediction_event_has_the_fields_of_version_1(starter: TagModel) -> None:
    log = EventLog(starter, model_version="2026.11.01-aaaaaaaa")
    prediction_id = log.predict(NOON, PYTHON, "<pre><code>{**a, **b}</code></pre>", max_tags=3)
    [line] = log.events()
    event = json.loads(line)
    assert event["event_version"] == 1
    assert event["event_type"] == "prediction"
    assert event["timestamp"] == "2026-11-02T12:00:00.000+00:00"
    assert event["prediction_id"] == prediction_id
    assert event["model_version"] == "2026.11.01-aaaaaaaa"
    assert event["tags"][0] == "python"
    assert len(event["confidences"]) == len(event["tags"]) <= 3
    assert event["top_confidence"] == max(event["confidences"])
    assert 0 < event["expected_jaccard"] <= 1
    assert event["known_share"] == 1
    assert "quiet_reason" not in event
    assert event["terms"] == sorted(event["terms"])
    assert event["words"] == 10
    assert event["code_share"] == 0.2
    assert event["max_tags"] == 3
    assert not {"min_confidence", "excluded"} & event.keys()
    assert event["source"] == "single"
    assert event["latency_ms"] == 0.5


def test_options_are_left_out_unless_the_caller_set_them(starter: TagModel) -> None:
    event = event_of(starter, PYTHON, min_confidence=0.0, exclude=["java", "go"], source="batch")
    assert "max_tags" not in event
    assert (event["min_confidence"], event["excluded"]) == (0.0, 2)
    assert event["source"] == "batch"


def test_an_answer_without_tags_says_why_and_what_was_withheld(starter: TagModel) -> None:
    told = event_of(starter, PYTHON)
    withheld = event_of(starter, PYTHON, min_confidence=1.0)
    assert withheld["tags"] == []
    assert withheld["quiet_reason"] == "not_sure"
    assert withheld["expected_jaccard"] == told["expected_jaccard"]
    unknown = event_of(starter, "qwrtzp xkcdvv")
    assert unknown["quiet_reason"] == "too_few_known_words"
    assert unknown["expected_jaccard"] == 0


def test_a_lower_limit_cuts_tags_and_their_part_of_the_expected_jaccard(
    starter: TagModel, samples: list[Question]
) -> None:
    n_cut = 0
    for sample in samples[:60]:
        whole = starter.suggest(sample.title, sample.body)
        for n_left in range(1, len(whole.suggestions)):
            limit = whole.suggestions[n_left].confidence + 1e-9
            cut = starter.suggest(sample.title, sample.body, min_confidence=limit)
            if len(cut.suggestions) == n_left:
                n_cut += 1
                ranked = starter.rank(sample.title, sample.body, limit=1000)
                expected = expected_jaccards(
                    [each.confidence for each in ranked], starter.manifest["other_tags"], MAX_TAGS
                )
                assert cut.expected_jaccard == pytest.approx(expected[n_left - 1])
                assert cut.expected_jaccard <= whole.expected_jaccard
    assert n_cut > 20


def test_both_rankers_count_the_same_words(samples: list[Question], ranker: RankerChoice) -> None:
    model = TagModel(read_bundle(STARTER), ranker=ranker)
    for sample in samples[:60]:
        question = tokenize(sample.title, sample.body)
        n_words = [len(field) for field in (question.title, question.prose, question.code)]
        found = model.suggest(sample.title, sample.body)
        assert found.n_words == sum(n_words)
        assert found.code_share == n_words[2] / sum(n_words)


def test_text_is_in_the_events_only_if_the_operator_switches_it_on(starter: TagModel) -> None:
    assert not {"title", "body"} & event_of(starter, PYTHON, "zanzibar").keys()
    event = event_of(starter, PYTHON, "zanzibar", event_text=True)
    assert (event["title"], event["body"]) == (PYTHON, "zanzibar")


def test_the_setting_reaches_the_log(starter: TagModel, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.from_environment(
        {"ETIQUETTE_MODEL": "starter", "ETIQUETTE_EVENT_TEXT": "true", "ETIQUETTE_SERVICE": "text"}
    )
    TestClient(create_app(starter, settings)).post("/predict", json={"text": "About zanzibar"})
    assert "zanzibar" in capsys.readouterr().out


@pytest.mark.parametrize(
    "body",
    [
        "\x00" * 65_000,
        "\\" * 65_000,
        "ä\u2028\n" * 10_000,
        "\x7f" * 65_000,
        "\ud800python" * 5_000,
        '"' * 65_000,
    ],
)
def test_no_text_breaks_a_line_or_makes_it_too_long(starter: TagModel, body: str) -> None:
    log = EventLog(starter, event_text=True)
    log.predict(NOON, "python " * 70, body)
    [line] = log.events()
    assert "\n" not in line
    assert len(line.encode()) < CLOUDWATCH_LIMIT
    assert json.loads(line)["body"][:100] == body[:100].encode(errors="replace").decode()


def test_the_longest_event_of_a_question_fits_into_a_log_line(starter: TagModel) -> None:
    vocabulary = starter.vocabulary
    firsts = [vocabulary.spell(term)[1] for term in range(0, len(vocabulary), 30)]
    title, prose, code = (" ".join(firsts[start : start + 500]) for start in (0, 500, 1000))
    event = event_of(starter, title, f"<p>{prose}</p><pre><code>{code}</code></pre>")
    assert len(event["terms"]) > 1000
    assert len(json.dumps(event)) + 2 * MAX_EVENT_TEXT_BYTES < CLOUDWATCH_LIMIT


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        ({"jwt": {"claims": {"sub": "someone"}, "scopes": None}}, True),
        ({"iam": {"accessKey": "AKIA", "userArn": "arn:aws:iam::123456789012:user/a"}}, True),
        ({"lambda": {"anything": True}}, False),
        ({"jwt": None}, False),
        (None, False),
        ("jwt", False),
    ],
)
def test_feedback_says_whether_the_caller_was_identified(
    starter: TagModel, capsys: pytest.CaptureFixture[str], authorizer: Any, expected: bool
) -> None:
    app = create_app(starter, Settings(model="starter", service=f"identified-{uuid4()}"))
    event = gateway_event("POST", "/feedback", json.dumps(FEEDBACK), route="POST /feedback")
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    Mangum(app, lifespan="off")(http_event(event), lambda_context())
    output = capsys.readouterr().out
    [line] = [each for each in map(json.loads, output.splitlines()) if "event_type" in each]
    assert line["authenticated"] is expected
    assert "someone" not in output
    assert "userArn" not in output


def test_a_server_outside_lambda_identifies_nobody(
    starter: TagModel, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(starter, Settings(model="starter", service="outside"))
    TestClient(app).post("/feedback", json=FEEDBACK)
    [line] = [
        event
        for event in map(json.loads, capsys.readouterr().out.splitlines())
        if "event_type" in event
    ]
    assert line["authenticated"] is False
    assert line["event_version"] == 1


def test_the_test_tool_writes_the_layout_of_the_event_store(
    starter: TagModel, tmp_path: Path
) -> None:
    log = EventLog(starter)
    prediction = log.predict(datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC), PYTHON)
    log.feedback(datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC), prediction, final_tags=["Python"])
    log.write(tmp_path)
    days = {path.parent.name: path.read_text() for path in tmp_path.rglob("*.jsonl")}
    assert set(days) == {"date=2026-11-02", "date=2026-11-03"}
    feedback = json.loads(days["date=2026-11-03"])
    assert feedback["prediction_id"] == prediction
    assert feedback["final_tags"] == ["python"]
