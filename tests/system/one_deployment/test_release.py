"""A first and a second deployment: what is live, what it answers and what it logs."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lambda_src import metrics
from lambda_src.api.schemas import PredictRequest
from lambda_src.tagger import TagModel
from model_build.questions import Question
from scripts.emulator.account import client
from scripts.emulator.deployment import STACK, STARTS, TIMED_OUT, Deployment
from scripts.emulator.logs import function_lines
from tests.support.api_gateway import gateway_event
from tests.support.cloudwatch.emf import read_log
from tests.support.paths import STARTER
from tests.system.facts import Release
from tests.system.one_deployment.conftest import (
    SECOND_VERSION,
    digest,
    read,
    without_access_to_the_model,
)

QUESTION = "How do I merge two dictionaries in Python?"


def logged(deployment: Deployment) -> list[dict[str, Any]]:
    """The JSON lines of the function's log."""
    lines = [line for line in function_lines(deployment) if line.startswith("{")]
    return [json.loads(line) for line in lines]


def test_the_first_deployment_into_an_empty_account_succeeds(first_release: Release) -> None:
    assert first_release.stack_status == "CREATE_COMPLETE"
    assert first_release.live == "1"
    assert first_release.versions == {"1": digest(STARTER)}


def test_the_deployed_api_returns_the_same_suggestions_as_the_model(
    deployment: Deployment, starter: TagModel, samples: list[Question]
) -> None:
    for sample in samples[:20]:
        text = f"{sample.title}\n{sample.body}"
        question = PredictRequest.model_validate({"text": text}).title_and_body()
        expected = starter.suggest(question.title, question.body).suggestions
        answer = read(deployment, "/predict", {"text": text})
        assert answer["predicted_tags"] == [each.tag for each in expected]
        assert [each["confidence"] for each in answer["suggestions"]] == pytest.approx(
            [each.confidence for each in expected], abs=1e-4
        )
        assert answer["model_version"] == starter.version


@pytest.mark.parametrize("path", ["/", "/model", "/openapi.json", "/docs"])
def test_every_route_is_reached(deployment: Deployment, path: str) -> None:
    assert deployment.call(path).status == 200


def test_health_reports_the_deployed_model(deployment: Deployment) -> None:
    health = read(deployment, "/health")
    assert health["status"] == "ok"
    assert health["model_sha256"] == digest(STARTER)
    assert health["model_version"] == deployment.outputs["ModelVersion"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"text": 7}, 422), (b"{", 400), ({"text": "x" * 600_000}, 413)],
)
def test_bad_input_gets_a_client_error(deployment: Deployment, body: Any, status: int) -> None:
    answer = deployment.call("/predict", body=body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["status"] == status


def test_a_prediction_writes_metrics_and_an_event_to_the_log(deployment: Deployment) -> None:
    before = len(logged(deployment))
    answer = read(deployment, "/predict", {"text": QUESTION})
    read(deployment, "/predict", {"text": QUESTION, "draft": True})  # not counted
    lines = logged(deployment)[before:]
    (measured,) = [line for line in lines if "_aws" in line]
    samples = read_log(json.dumps(measured).encode())
    values = {sample.metric.name: sample.value for sample in samples}
    assert set(values) == {metric.name for metric in metrics.PREDICTION_METRICS}
    assert values[metrics.PREDICTIONS_WITH_TAGS.name] == 1
    assert values[metrics.TAGS_PER_PREDICTION.name] == len(answer["predicted_tags"])
    assert {(sample.metric.namespace, sample.metric.dimensions) for sample in samples} == {
        (metrics.NAMESPACE, frozenset({(metrics.SERVICE_DIMENSION, STACK)}))
    }
    (event,) = [line for line in lines if line.get("event_type") == "prediction"]
    assert event["prediction_id"] == answer["prediction_id"]
    assert event["model_version"] == answer["model_version"]


def test_the_log_does_not_contain_the_question(deployment: Deployment) -> None:
    read(deployment, "/predict", {"text": "Why does xylophonequux raise in my python loop?"})
    assert "xylophonequux" not in "\n".join(function_lines(deployment))


def test_the_function_does_not_start_without_permission_to_read_the_model(
    first_release: Release,
) -> None:
    deployment = first_release.deployment
    with without_access_to_the_model(first_release):
        assert deployment.call("/health").status >= 500
    assert deployment.call("/health").status == 200
    refusals = [line for line in function_lines(deployment) if "cannot start" in line]
    assert "s3:GetObject" in refusals[-1]


def test_the_same_release_again_changes_nothing(
    first_release: Release, repeated_release: Release
) -> None:
    assert repeated_release == first_release


def test_another_model_is_published_and_live_moves_to_it(
    second_release: Release, second_model: Path
) -> None:
    assert second_release.stack_status == "UPDATE_COMPLETE"
    assert second_release.live == "2"
    assert second_release.versions == {"1": digest(STARTER), "2": digest(second_model)}
    deployment = second_release.deployment
    assert deployment.outputs["ModelVersion"] == SECOND_VERSION
    assert read(deployment, "/health")["model_sha256"] == digest(second_model)
    answer = read(deployment, "/predict", {"text": QUESTION})
    assert answer["model_version"] == SECOND_VERSION
    assert answer["predicted_tags"][0] == "python"


def test_the_version_before_is_kept(second_release: Release) -> None:
    aws = second_release.deployment.aws
    aws.forget_warm_containers()
    answer = invoke(second_release, "1")
    assert json.loads(answer["body"])["model_sha256"] == second_release.versions["1"]
    aws.forget_warm_containers()


def invoke(release: Release, version: str) -> dict[str, Any]:
    """Request /health from one version directly, as API Gateway would through the alias."""
    functions = client(release.deployment.aws, "lambda")
    event = json.dumps(gateway_event("GET", "/health")).encode()
    one = {"FunctionName": release.function, "Qualifier": version}
    while functions.get_function_configuration(**one)["State"] == "Pending":
        time.sleep(0.2)  # Lambda creates its snapshot
    for _ in range(STARTS):
        answer = functions.invoke(**one, Payload=event)
        payload = answer["Payload"].read()
        if TIMED_OUT not in payload:
            break
    return dict(json.loads(payload), failed=answer.get("FunctionError"))


def test_a_wrong_digest_refuses_to_start_and_live_stays(
    second_release: Release, second_model: Path
) -> None:
    """A version with a wrong digest, published without CloudFormation."""
    deployment = second_release.deployment
    functions = client(deployment.aws, "lambda")
    configuration = functions.get_function_configuration(FunctionName=second_release.function)
    variables = configuration["Environment"]["Variables"]
    wrong = "0" * 64
    functions.update_function_configuration(
        FunctionName=second_release.function,
        Environment={"Variables": variables | {"ETIQUETTE_MODEL_SHA256": wrong}},
    )
    published = functions.publish_version(FunctionName=second_release.function)["Version"]
    functions.update_function_configuration(
        FunctionName=second_release.function, Environment={"Variables": variables}
    )
    deployment.aws.forget_warm_containers()
    assert invoke(second_release, published)["failed"]
    refusals = [line for line in function_lines(deployment) if "cannot start" in line]
    assert wrong in refusals[-1]
    assert digest(second_model) in refusals[-1]
    deployment.aws.forget_warm_containers()
    assert Release.read(deployment).live == "2"
    assert read(deployment, "/health")["model_sha256"] == digest(second_model)
