from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.environment_settings import SettingsError
from lambda_src.tagger import TagModel
from model_build.questions import Question


@pytest.fixture(scope="module")
def client(starter: TagModel) -> TestClient:
    settings = Settings(model="starter", cors_origins=("https://example.com",))
    return TestClient(create_app(starter, settings))


def test_a_batch_gets_the_same_answers_as_single_questions(
    client: TestClient, samples: list[Question]
) -> None:
    questions = [{"title": each.title, "body": each.body} for each in samples[:100]]
    results = client.post("/predict/batch", json={"questions": questions}).json()["results"]
    assert [each["index"] for each in results] == list(range(100))
    for question, result in zip(questions[:10], results, strict=False):
        single = client.post("/predict", json=question).json()
        assert result["prediction"]["suggestions"] == single["suggestions"]


def test_a_wrong_question_does_not_make_its_batch_fail(client: TestClient) -> None:
    good = {"text": "How do I merge two dictionaries in Python?"}
    bad: list[Any] = [{}, 5, {"text": 1}, {"text": "x" * 70_000}]
    response = client.post("/predict/batch", json={"questions": [good, *bad, good]})
    assert response.status_code == 200
    first, *failed, last = response.json()["results"]
    assert first["prediction"]["predicted_tags"][0] == "python"
    assert last["prediction"]["predicted_tags"] == first["prediction"]["predicted_tags"]
    assert [each["problem"]["status"] for each in failed] == [422, 422, 422, 413]
    assert all(each["problem"]["detail"] for each in failed)
    assert all("prediction" not in each for each in failed)


@pytest.mark.parametrize("questions", [[], [{"text": "a"}] * 101, "a", None])
def test_a_batch_has_1_to_100_questions(client: TestClient, questions: Any) -> None:
    assert client.post("/predict/batch", json={"questions": questions}).status_code == 422


def test_a_batch_has_at_most_a_mebibyte(client: TestClient) -> None:
    questions = [{"text": "x" * 60_000}] * 20
    assert client.post("/predict/batch", json={"questions": questions}).status_code == 413


def test_feedback_is_accepted_and_its_answer_names_unknown_tags(client: TestClient) -> None:
    form = {
        "prediction_id": str(uuid4()),
        "accepted": ["python"],
        "final_tags": ["python", "a-brand-new-tag"],
    }
    for _ in range(2):
        response = client.post("/feedback", json=form)
        assert response.status_code == 202
        assert response.json() == {
            "prediction_id": form["prediction_id"],
            "unknown_tags": ["a-brand-new-tag"],
        }


def test_feedback_is_recorded_with_the_tags_that_its_names_mean(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    form = {
        "prediction_id": str(uuid4()),
        "accepted": ["JS"],
        "final_tags": ["C#", "js", "k8s", "golang", "Brand-New"],
    }
    with caplog.at_level("INFO"):
        receipt = client.post("/feedback", json=form).json()
    assert receipt["unknown_tags"] == ["brand-new"]
    [event] = [vars(each) for each in caplog.records if "event_type" in vars(each)]
    assert event["accepted"] == ["javascript"]
    assert event["final_tags"] == ["c#", "javascript", "kubernetes", "go", "brand-new"]
    assert event["unknown_tags"] == ["brand-new"]


def test_a_tag_that_is_named_twice_is_recorded_once(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    form = {"prediction_id": str(uuid4()), "final_tags": ["js", "JavaScript", "new", "New"]}
    with caplog.at_level("INFO"):
        client.post("/feedback", json=form)
    [event] = [vars(each) for each in caplog.records if "event_type" in vars(each)]
    assert event["final_tags"] == ["javascript", "new"]
    assert event["accepted"] is None


@pytest.mark.parametrize("name", ["python", "Python", "PY", "\uff30ython"])
def test_a_tag_is_excluded_by_each_of_its_names(client: TestClient, name: str) -> None:
    form: dict[str, Any] = {"text": "How do I merge two dictionaries in Python?"}
    assert "python" in client.post("/predict", json=form).json()["predicted_tags"]
    left = client.post("/predict", json=form | {"exclude": [name, "unknown-tag"]}).json()
    assert left["predicted_tags"]
    assert "python" not in left["predicted_tags"]


@pytest.mark.parametrize(
    ("prefix", "tag", "synonym"),
    [
        ("golang", "go", "golang"),
        ("GoLa", "go", "golang"),
        ("k8s", "kubernetes", "k8s"),
        ("csharp", "c#", "csharp"),
        ("C♯", "c#", None),
        ("JavaScr", "javascript", None),
        ("js", "javascript", "js"),
    ],
)
def test_a_tag_is_listed_by_its_synonyms(
    client: TestClient, prefix: str, tag: str, synonym: str | None
) -> None:
    listed = client.get("/tags", params={"prefix": prefix}).json()["tags"]
    [found] = [each for each in listed if each["tag"] == tag]
    assert found.get("synonym") == synonym
    assert found["count"] > 0


def test_the_list_of_tags_has_each_tag_once_whatever_its_synonyms(
    client: TestClient, starter: TagModel
) -> None:
    listed: list[str] = []
    for prefix in ("", "a", "j", "py"):
        tags = client.get("/tags", params={"prefix": prefix, "limit": 1000}).json()["tags"]
        listed = [each["tag"] for each in tags]
        assert len(listed) == len(set(listed))
        assert [each["count"] for each in tags] == sorted((e["count"] for e in tags), reverse=True)
        for each in tags:
            assert (each["tag"].startswith(prefix)) == ("synonym" not in each)
            assert each.get("synonym", prefix).startswith(prefix)
    everything = client.get("/tags", params={"limit": 1000}).json()["tags"]
    assert [each["tag"] for each in everything] == starter.tags[:1000]


@pytest.mark.parametrize(
    "change",
    [
        {"final_tags": None},
        {"final_tags": []},
        {"final_tags": ["a"] * 6},
        {"final_tags": ["two words"]},
        {"final_tags": ["<b>"]},
        {"final_tags": ["line\nbreak"]},
        {"final_tags": ["x" * 36]},
        {"prediction_id": "1"},
        {"text": "a"},
    ],
)
def test_wrong_feedback_is_refused(client: TestClient, change: dict[str, Any]) -> None:
    form: dict[str, Any] = {"prediction_id": str(uuid4()), "final_tags": ["python"]}
    assert client.post("/feedback", json=form | change).status_code == 422


def test_tags_are_listed_by_prefix_the_most_frequent_first(client: TestClient) -> None:
    tags = client.get("/tags", params={"prefix": " Py", "limit": 3}).json()["tags"]
    assert tags[0]["tag"] == "python"
    assert all(each.get("synonym", each["tag"]).startswith("py") for each in tags)
    assert [each["count"] for each in tags] == sorted((e["count"] for e in tags), reverse=True)
    assert len(client.get("/tags").json()["tags"]) == 20
    assert client.get("/tags?limit=0").status_code == 422


@pytest.mark.parametrize("path", ["/tags?prefix=c", "/model"])
def test_content_that_a_client_has_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert "max-age" in first.headers["cache-control"]
    etag = first.headers["etag"]
    for sent in (etag, f'"other", W/{etag}', "*"):
        again = client.get(path, headers={"if-none-match": sent})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_an_explanation_sums_to_the_model_s_score(
    client: TestClient, starter: TagModel, samples: list[Question]
) -> None:
    for question in samples[:30]:
        form = {"title": question.title, "body": question.body, "explain": True}
        scores = starter.scores(question.title, question.body)
        for each in client.post("/predict", json=form).json()["suggestions"]:
            why = each["explanation"]
            listed = sum(term["weight"] for term in why["terms"])
            assert why["intercept"] + listed + why["other_terms"] == pytest.approx(why["score"])
            assert why["score"] == pytest.approx(scores[starter.tags.index(each["tag"])], abs=1e-5)
            weights = [abs(term["weight"]) for term in why["terms"]]
            assert weights == sorted(weights, reverse=True)


def test_a_tag_s_name_is_its_first_explanation(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "merge in python", "explain": True}).json()
    [python] = [each for each in answer["suggestions"] if each["tag"] == "python"]
    assert python["explanation"]["terms"][0]["term"] == "python"
    plain = client.post("/predict", json={"text": "merge in python"}).json()
    assert "explanation" not in plain["suggestions"][0]


def test_only_listed_origins_may_call_the_api(client: TestClient) -> None:
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    allowed = client.options("/predict", headers=preflight | {"origin": "https://example.com"})
    assert allowed.headers["access-control-allow-origin"] == "https://example.com"
    refused = client.options("/predict", headers=preflight | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("ranker", ["auto", "plain", "kernel"])
def test_the_ranker_is_a_setting(ranker: str) -> None:
    environment = {"ETIQUETTE_MODEL": "m", "ETIQUETTE_RANKER": ranker}
    assert Settings.from_environment(environment).ranker == ranker


def test_origins_come_from_the_environment() -> None:
    environment = {"ETIQUETTE_MODEL": "m", "ETIQUETTE_CORS_ORIGINS": "https://a.b, http://c:8080,"}
    assert Settings.from_environment(environment).cors_origins == ("https://a.b", "http://c:8080")
    with pytest.raises(
        SettingsError, match=r"ETIQUETTE_CORS_ORIGINS is 'a\.b', .*'a\.b' is not an origin"
    ):
        Settings.from_environment(environment | {"ETIQUETTE_CORS_ORIGINS": "a.b"})
