import json
import re
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lambda_src.api.app import create_app
from lambda_src.api.schemas import QUIET_MESSAGES, PredictResponse
from lambda_src.api.settings import Settings
from lambda_src.tagger import Prediction, TagModel
from lambda_src.tagger.model import QuietReason
from model_build.questions import Question

SECRET = "zanzibar"
"""A word of the questions below that no log line may contain."""
LOGGED_ONLY = {
    "top_confidence",
    "terms",
    "known_share",
    "n_words",
    "code_share",
    "expected_jaccard",
}
"""Fields of a `Prediction` that the log and the metrics contain, but not the answer."""


@pytest.fixture(scope="module")
def app(starter: TagModel) -> FastAPI:
    return create_app(starter, Settings(model="starter", service="test"))


@pytest.fixture(scope="module")
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def lines(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def check_problem(response: Any, status: int, *words: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["correlation_id"] == response.headers["x-correlation-id"]
    for word in words:
        assert word in problem["detail"]
    return problem


def test_the_original_contract(client: TestClient) -> None:
    response = client.post("/predict", json={"text": "Python is very cool !"})
    assert response.status_code == 200
    assert "python" in response.json()["predicted_tags"]


def test_both_forms_of_a_question_get_the_model_s_answer(
    client: TestClient, starter: TagModel, samples: list[Question]
) -> None:
    for question in samples[:30]:
        form = {"title": question.title, "body": question.body}
        answer = client.post("/predict", json=form).json()
        direct = starter.suggest(question.title, question.body).suggestions
        assert answer["predicted_tags"] == [each.tag for each in direct]
        assert [each["confidence"] for each in answer["suggestions"]] == [
            round(each.confidence, 4) for each in direct
        ]
        text = f"{question.title}\n{question.body}"
        assert (
            client.post("/predict", json={"text": text}).json()["predicted_tags"]
            == (answer["predicted_tags"])
        )
        assert answer["model_version"] == starter.version
        assert answer["prediction_id"]


def test_the_answer_declares_every_field_of_a_prediction_that_is_not_only_logged() -> None:
    missing = set(Prediction._fields) - set(PredictResponse.model_fields) - LOGGED_ONLY
    assert not missing, (
        f"Prediction has the fields {missing}. Add them to PredictResponse in "
        "lambda_src/api/schemas.py, or to LOGGED_ONLY if callers must not get them."
    )


def test_the_answer_has_the_values_of_the_prediction(
    client: TestClient, starter: TagModel, samples: list[Question]
) -> None:
    copied = set(Prediction._fields) & set(PredictResponse.model_fields) - {"suggestions"}
    bodies = [(each.title, each.body) for each in samples[:30]] + [("qwrtzp xkcdvv", "")]
    for title, body in bodies:
        prediction = starter.suggest(title, body)
        response = client.post("/predict", json={"title": title, "body": body})
        answer = PredictResponse.model_validate(response.json())
        for field in copied:
            expected = getattr(prediction, field)
            if isinstance(expected, float):
                expected = pytest.approx(expected, abs=1e-4)
            assert getattr(answer, field) == expected, (
                f"PredictResponse.of in lambda_src/api/schemas.py must set {field} "
                f"to prediction.{field}."
            )


def test_the_options_of_a_prediction(client: TestClient) -> None:
    form: dict[str, Any] = {"text": "How do I merge two dictionaries in Python?"}
    tags = client.post("/predict", json=form).json()["predicted_tags"]
    assert tags[0] == "python"
    assert len(tags) >= 2
    assert client.post("/predict", json=form | {"max_tags": 1}).json()["predicted_tags"] == tags[:1]
    without = client.post("/predict", json=form | {"exclude": ["python"]}).json()["predicted_tags"]
    assert without
    assert "python" not in without
    certain = client.post("/predict", json=form | {"min_confidence": 1.0}).json()
    assert certain["predicted_tags"] == []


@pytest.mark.parametrize(
    ("sent", "reason", "help_"),
    [
        ({"text": "qwrtzp xkcdvv bnmlk"}, "too_few_known_words", "Name a language"),
        ({"text": "How do I do this?"}, "no_topic", "Name a language"),
        (
            {"text": "How do I merge two dictionaries in Python?", "min_confidence": 1.0},
            "not_sure",
            "Relax them",
        ),
    ],
)
def test_a_quiet_answer_says_why_and_what_would_help(
    client: TestClient, sent: dict[str, Any], reason: str, help_: str
) -> None:
    answer = client.post("/predict", json=sent).json()
    assert answer["predicted_tags"] == []
    assert answer["quiet_reason"] == reason
    assert help_ in answer["quiet_message"]


def test_every_quiet_reason_has_a_message_and_other_answers_have_none(client: TestClient) -> None:
    assert set(QUIET_MESSAGES) == set(get_args(QuietReason))
    answer = client.post("/predict", json={"text": "Merge two dictionaries in Python"}).json()
    assert answer["predicted_tags"]
    assert not {"quiet_reason", "quiet_message"} & set(answer)


@pytest.mark.parametrize(
    ("request_kwargs", "status", "word"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "not valid JSON"),
        ({"json": {}}, 422, "Send either"),
        ({"json": {"text": "a", "title": "b"}}, 422, "Send either"),
        ({"json": {"text": "  \n "}}, 422, "The question is empty. Send"),
        ({"json": {"text": 5}}, 422, "text: Input should be a valid string"),
        ({"json": [1]}, 422, "body"),
        ({"json": {"text": "a", "maxtags": 3}}, 422, "maxtags"),
        ({"json": {"text": "a", "max_tags": 6}}, 422, "max_tags"),
        ({"json": {"text": "a", "min_confidence": 2}}, 422, "min_confidence"),
        (
            {"json": {"text": "a", "max_tags": "3"}},
            422,
            "max_tags: Input should be a valid integer",
        ),
        (
            {"json": {"text": "a", "max_tags": 2.5}},
            422,
            "max_tags: Input should be a valid integer",
        ),
        ({"json": {"text": "a", "draft": 0}}, 422, "draft: Input should be a valid boolean"),
        ({"json": {"text": "a", "exclude": ["a\u0004b"]}}, 422, "A tag has 1 to 35 characters"),
        ({"json": {"text": "a", "exclude": ["a\u202eb"]}}, 422, "A tag has 1 to 35 characters"),
        ({"json": {"text": "a", "<b>\r\n": 1}}, 422, "?b???: Extra inputs are not permitted"),
        ({"json": {"text": "x" * 65_537}}, 413, "65537 bytes of UTF-8. The limit is 65536"),
        ({"json": {"title": "é" * 20_000, "body": "é" * 20_000}}, 413, "The limit is 65536 bytes"),
        ({"json": {"text": "x" * 1_100_000}}, 413, "more than 1048576 bytes"),
        (
            {"content": b"text=a", "headers": {"content-type": "text/plain"}},
            415,
            "Send it with the header",
        ),
        ({"content": b'{"text": "a"}'}, 415, "Send it with the header"),
    ],
)
def test_the_answer_to_a_wrong_request_says_what_to_do(
    client: TestClient, request_kwargs: dict[str, Any], status: int, word: str
) -> None:
    problem = check_problem(client.post("/predict", **request_kwargs), status)
    assert word in problem["detail"]


@pytest.mark.parametrize("options", [{"max_tags": 3.0}, {"min_confidence": 0}, {"title": " "}])
def test_what_the_openapi_document_allows_is_accepted(
    client: TestClient, options: dict[str, Any]
) -> None:
    sent = {"body": "How do I merge two dictionaries in Python?", **options}
    assert client.post("/predict", json=sent).json()["predicted_tags"]


def test_a_body_without_a_content_length_is_limited(client: TestClient) -> None:
    response = client.post(
        "/predict",
        content=(b" " * 100_000 for _ in range(20)),
        headers={"content-type": "application/json"},
    )
    assert "more than 1048576 bytes" in check_problem(response, 413)["detail"]


def test_a_question_of_almost_the_largest_size_is_answered(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "python " * 9_000}).status_code == 200


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    check_problem(client.get("/absent"), 404, "The path /absent does not exist", "/docs")
    response = client.get("/predict")
    check_problem(response, 405, "/predict does not support GET")
    assert response.headers["allow"] == "OPTIONS, POST"
    # A path that takes no body says so, and not that the body is wrong.
    check_problem(client.post("/health"), 405, "/health does not support POST")
    check_problem(client.post("/absent"), 404, "The path /absent does not exist")


def test_a_problem_repeats_nothing_that_could_act_where_it_is_displayed(
    client: TestClient,
) -> None:
    response = client.get("/%3Cscript%3E%0d%0a%1b[2J%E2%80%AE" + "x" * 200)
    detail = check_problem(response, 404)["detail"]
    assert detail.startswith("The path /?script????[2J?xxx")
    assert "x... does not exist." in detail


def test_an_unexpected_error_is_a_problem_and_logs_no_text(
    starter: TagModel, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(starter, Settings(model="starter"))

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(f"the question was {SECRET}")

    with caplog.at_level("ERROR"):
        response = TestClient(app, raise_server_exceptions=False).get("/broken")
    problem = check_problem(response, 500, "report it with")
    [record] = caplog.records
    logged = vars(record)
    assert logged["event_type"] == "failure"
    assert logged["kind"] == "RuntimeError"
    assert logged["correlation_id"] == problem["correlation_id"]
    assert SECRET not in str(logged) + response.text


@pytest.mark.parametrize("received", ["", "a b", "<script>", '"', "x" * 129, "a\u00e9"])
def test_a_harmful_correlation_id_is_replaced(client: TestClient, received: str) -> None:
    response = client.get("/health", headers={b"x-correlation-id": received.encode()})
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-correlation-id"])


def test_the_other_operations(client: TestClient, starter: TagModel) -> None:
    health = client.get("/health").json()
    assert health == {
        "status": "ok",
        "model_version": starter.version,
        "model_sha256": starter.sha256,
    }
    card = client.get("/model").json()
    assert card["n_tags"] == len(starter.tags) >= 600
    assert card["corpus"]["questions"] > 50_000
    assert client.get("/").json()["name"] == "etiquette"


def test_the_openapi_document_declares_every_error(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        *("/", "/predict", "/predict/batch", "/feedback", "/tags", "/health"),
        *("/model", "/model/health"),
    }
    health = document["paths"]["/model/health"]["get"]["responses"]
    assert set(health) == {"200", "404", "500", "503"}
    responses = document["paths"]["/predict"]["post"]["responses"]
    assert set(responses) == {"200", "400", "413", "415", "422", "500", "503"}
    for status, response in responses.items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(document)
    assert "correlation_id" in document["components"]["schemas"]["Problem"]["properties"]


def test_the_documentation_needs_no_outside_host(client: TestClient) -> None:
    response = client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "POST /predict" in response.text
    assert "merge two dictionaries" in response.text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", response.text)
    assert "<script" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
