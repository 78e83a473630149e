import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambda_src.api.archive import Archive, ArchiveEventError, handler
from lambda_src.tagger import TagModel

BUCKET = "archive"
QUESTION = {"id": 7, "text": "How do I merge two dictionaries in Python?"}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def put(s3: Any, name: str, *lines: object) -> None:
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    s3.put_object(Bucket=BUCKET, Key=f"questions/{name}", Body=text.encode())


def lines_of(s3: Any, key: str) -> list[dict[str, Any]]:
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return [json.loads(line) for line in text.splitlines()]


def test_each_question_of_a_part_gets_the_answer_of_the_model(s3: Any, starter: TagModel) -> None:
    parts = {"id": "x", "title": "Undo a commit in git", "body": "I pushed it.", "max_tags": 1}
    put(s3, "2024/01.jsonl", QUESTION, "", parts)
    Archive(starter, s3, BUCKET).score("questions/2024/01.jsonl")
    first, second = lines_of(s3, "results/2024/01.jsonl")
    expected = starter.suggest("How do I merge two dictionaries in Python?")
    assert first["id"] == 7
    assert first["predicted_tags"] == [each.tag for each in expected.suggestions]
    assert first["expected_jaccard"] == pytest.approx(expected.expected_jaccard, abs=1e-4)
    assert (second["id"], second["line"], len(second["predicted_tags"])) == ("x", 3, 1)


def test_lines_that_are_no_questions_are_rejected_without_their_text(
    s3: Any, starter: TagModel
) -> None:
    secret = "a secret text"
    bad = ["no JSON: " + secret, [secret], {"title": ""}, {"text": secret, "unknown": secret}]
    long = {"text": "word " * 20_000}
    put(s3, "01.jsonl", *bad, long, QUESTION)
    Archive(starter, s3, BUCKET).score("questions/01.jsonl")
    assert [line["line"] for line in lines_of(s3, "results/01.jsonl")] == [6]
    rejects = lines_of(s3, "rejects/01.jsonl")
    assert [line["line"] for line in rejects] == [1, 2, 3, 4, 5]
    assert all(line["reason"] for line in rejects)
    assert secret not in json.dumps(rejects)


def test_a_part_with_a_result_of_this_model_is_not_scored_again(s3: Any, starter: TagModel) -> None:
    put(s3, "01.jsonl", QUESTION)
    archive = Archive(starter, s3, BUCKET)
    archive.score("questions/01.jsonl")
    before = s3.get_object(Bucket=BUCKET, Key="results/01.jsonl")
    put(s3, "01.jsonl", QUESTION, QUESTION)
    archive.score("questions/01.jsonl")
    assert len(lines_of(s3, "results/01.jsonl")) == 1
    # Another model scores it again.
    s3.put_object(
        Bucket=BUCKET,
        Key="results/01.jsonl",
        Body=before["Body"].read(),
        Metadata=before["Metadata"] | {"model": "0" * 64},
    )
    archive.score("questions/01.jsonl")
    assert len(lines_of(s3, "results/01.jsonl")) == 2


def test_the_report_counts_and_names_what_is_missing(s3: Any, starter: TagModel) -> None:
    for name in ("01.jsonl", "02.jsonl", "03.jsonl"):
        put(s3, name, QUESTION, "no JSON")
    s3.put_object(Bucket=BUCKET, Key="questions/folder/", Body=b"")
    archive = Archive(starter, s3, BUCKET)
    for name in ("01.jsonl", "03.jsonl"):
        archive.score(f"questions/{name}")
    found = archive.report()
    assert found == {
        "model_version": starter.version,
        "parts": 3,
        "questions": 2,
        "rejects": 2,
        "missing_parts": 1,
        "missing": ["questions/02.jsonl"],
    }
    (written,) = [json.loads(s3.get_object(Bucket=BUCKET, Key="report.json")["Body"].read())]
    assert written == found


@pytest.mark.parametrize("event", [{}, {"part": "results/01.jsonl"}, {"report": False}, "part"])
def test_another_event_is_an_error(event: object) -> None:
    with pytest.raises(ArchiveEventError, match="Start the state machine"):
        handler(event, None)


def test_a_folder_of_the_console_is_no_part() -> None:
    assert handler({"part": "questions/folder/"}, None) == {}
