"""The caps of the API: what is exactly at a limit is answered, and what is past it is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lambda_src.api.app import create_app
from lambda_src.api.middleware import MAX_REQUEST_BYTES
from lambda_src.api.schemas import MAX_BATCH, MAX_QUESTION_BYTES
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from lambda_src.tagger.rules import MAX_TAGS

IDENTIFIER = "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a"
MAX_EXCLUDED = 100
MAX_TAG_LENGTH = 35
MAX_CORRELATION_ID = 128


@pytest.fixture(scope="module")
def client(starter: TagModel) -> TestClient:
    return TestClient(create_app(starter, Settings(model="starter", service="caps")))


def feedback(**tags: list[str]) -> dict[str, Any]:
    return {"prediction_id": IDENTIFIER, **tags}


def names(count: int) -> list[str]:
    return [f"tag-{number}" for number in range(count)]


CAPS: dict[str, tuple[str, Callable[[int], dict[str, Any]], int]] = {
    "the bytes of a question": (
        "/predict",
        lambda more: {"title": "a" * 100, "body": "b" * (MAX_QUESTION_BYTES - 100 + more)},
        413,
    ),
    "the bytes of characters that need two": (
        "/predict",
        lambda more: {"title": "a" * more, "body": "é" * (MAX_QUESTION_BYTES // 2)},
        413,
    ),
    "the suggestions": ("/predict", lambda more: {"title": "a", "max_tags": MAX_TAGS + more}, 422),
    "the excluded tags": (
        "/predict",
        lambda more: {"title": "a", "exclude": names(MAX_EXCLUDED + more)},
        422,
    ),
    "the letters of a tag": (
        "/predict",
        lambda more: {"title": "a", "exclude": ["x" * (MAX_TAG_LENGTH + more)]},
        422,
    ),
    "the questions of a batch": (
        "/predict/batch",
        lambda more: {"questions": [{"title": "a"}] * (MAX_BATCH + more)},
        422,
    ),
    "the final tags": ("/feedback", lambda more: feedback(final_tags=names(MAX_TAGS + more)), 422),
    "the accepted tags": ("/feedback", lambda more: feedback(accepted=names(MAX_TAGS + more)), 422),
}


@pytest.mark.parametrize("what", CAPS)
def test_a_cap(client: TestClient, what: str) -> None:
    path, make, refusal = CAPS[what]
    assert client.post(path, json=make(0)).is_success
    refused = client.post(path, json=make(1))
    assert refused.status_code == refusal
    assert refused.headers["content-type"] == "application/problem+json"


def test_the_bytes_of_a_request(client: TestClient) -> None:
    batch = json.dumps({"questions": [{"title": "a"}]}).encode()
    headers = {"content-type": "application/json"}
    for more, status in ((0, 200), (1, 413)):
        content = batch + b" " * (MAX_REQUEST_BYTES - len(batch) + more)
        answer = client.post("/predict/batch", content=content, headers=headers)
        assert answer.status_code == status


def test_a_question_of_a_batch_that_is_too_long_is_refused_alone(client: TestClient) -> None:
    questions = [{"title": "a"}, {"body": "b" * (MAX_QUESTION_BYTES + 1)}, {"title": "a"}]
    results = client.post("/predict/batch", json={"questions": questions}).json()["results"]
    assert [each.get("problem", {}).get("status") for each in results] == [None, 413, None]


def test_a_correlation_id_that_is_too_long_is_not_repeated(client: TestClient) -> None:
    for length, is_repeated in ((MAX_CORRELATION_ID, True), (MAX_CORRELATION_ID + 1, False)):
        sent = "c" * length
        answer = client.get("/health", headers={"x-correlation-id": sent})
        assert (answer.headers["x-correlation-id"] == sent) is is_repeated
