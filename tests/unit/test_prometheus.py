"""The metrics for Prometheus, which only a server of one's own serves."""

import sys
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from lambda_src import metrics, prometheus_names
from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.environment_settings import SettingsError
from lambda_src.prometheus_names import prometheus_name
from lambda_src.tagger import TagModel

KNOWN = {"text": "How do I merge two dictionaries in Python?"}
UNKNOWN = {"text": "qwrtzp xkcdvv"}
SECRET = "zanzibar"


@pytest.fixture
def client(starter: TagModel) -> TestClient:
    settings = Settings(model="starter", service="here", prometheus=True, cors_origins=("*",))
    return TestClient(create_app(starter, settings), raise_server_exceptions=False)


def read(client: TestClient) -> dict[str, float]:
    """The samples by name, with the label of a status or bucket where there is one."""
    response = client.get("/metrics")
    assert response.status_code == 200
    found = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = dict(sample.labels)
            if family.name.startswith("etiquette"):
                assert labels.pop(metrics.SERVICE_DIMENSION) == "here"
            found["".join([sample.name, *labels.values()])] = sample.value
    return found


def test_a_prediction_counts_as_in_cloudwatch(client: TestClient) -> None:
    answer = client.post("/predict", json=KNOWN).json()
    client.post("/predict", json=UNKNOWN)
    client.post("/predict", json={**KNOWN, "draft": True})
    client.post(
        "/feedback", json={"prediction_id": answer["prediction_id"], "final_tags": ["python"]}
    )
    found = read(client)
    assert found["etiquette_predictions_total"] == 2
    assert found["etiquette_predictions_with_tags_total"] == 1
    assert found["etiquette_tags_per_prediction_sum"] == len(answer["predicted_tags"])
    assert found["etiquette_feedbacks_total"] == 1
    assert found["etiquette_top_confidence_count"] == 2
    assert 0 < found["etiquette_top_confidence_sum"] < 2
    assert found["etiquette_unknown_word_share_bucket0.95"] == 1
    assert found["etiquette_unknown_word_share_bucket1.0"] == 2
    assert 0 < found["etiquette_model_latency_seconds_sum"] < 10


@pytest.mark.parametrize("metric", metrics.PREDICTION_METRICS, ids=lambda each: each.name)
def test_every_metric_of_a_prediction_is_there_before_the_first_request(
    client: TestClient, metric: metrics.Metric
) -> None:
    name = prometheus_name(metric)
    count = f"{name}_count" if metric in prometheus_names.BUCKETS else name
    assert read(client)[count] == 0


def test_requests_are_counted_by_status_and_those_of_prometheus_are_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/health")
    client.get("/nowhere")
    client.post("/predict", content=b"text", headers={"content-type": "text/plain"})

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(TagModel, "suggest", fail)
    assert client.post("/predict", json=KNOWN).status_code == 500
    read(client)
    found = read(client)
    counted = {
        each: found[f"etiquette_requests_total{each}"] for each in prometheus_names.STATUS_CLASSES
    }
    assert counted == {"2xx": 1, "3xx": 0, "4xx": 2, "5xx": 1}
    assert found["etiquette_request_duration_seconds_count"] == 4


def test_the_metrics_contain_no_text(client: TestClient) -> None:
    client.post("/predict", json={"text": f"{SECRET} {KNOWN['text']}", "exclude": [SECRET]})
    client.get(f"/{SECRET}")
    text = client.get("/metrics").text
    assert SECRET not in text
    assert "python" not in text


def test_the_metrics_name_the_model(client: TestClient, starter: TagModel) -> None:
    assert f'version="{starter.version}"' in client.get("/metrics").text


def test_the_route_exists_only_by_setting(starter: TagModel) -> None:
    app = create_app(starter, Settings(model="starter"))
    assert TestClient(app).get("/metrics").status_code == 404


def test_the_openapi_document_does_not_depend_on_the_setting(
    client: TestClient, starter: TagModel
) -> None:
    without = create_app(starter, Settings(model="starter")).openapi()
    assert client.get("/openapi.json").json() == without


def test_without_the_package_the_message_says_what_to_do(
    starter: TagModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "lambda_src.api.prometheus", raising=False)
    monkeypatch.delattr("lambda_src.api.prometheus", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(SettingsError, match=r"prometheus_client is not installed.*remove the set"):
        create_app(starter, Settings(model="starter", prometheus=True))
