import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.api_gateway import REQUEST_ID, gateway_event, lambda_context
from tests.support.paths import ROOT, STARTER

QUESTION = json.dumps({"text": "How do I merge two dictionaries in Python?"})


@pytest.fixture(scope="module")
def invoke() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETIQUETTE_MODEL", str(STARTER))
        from lambda_src.api.handler import handler  # noqa: PLC0415 (reads its settings at import)

    def call(sent: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = handler(sent, lambda_context())
        return answer

    return call


@pytest.mark.parametrize("encoded", [False, True])
def test_a_prediction(invoke: Any, encoded: bool) -> None:
    answer = invoke(gateway_event("POST", "/predict", QUESTION, base64_encoded=encoded))
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    tags = json.loads(answer["body"])["predicted_tags"]
    assert {"python", "dictionary"} <= set(tags)


def test_the_gateway_s_request_id_is_the_correlation_id_unless_the_caller_has_one(
    invoke: Any,
) -> None:
    assert invoke(gateway_event("GET", "/health"))["headers"]["x-correlation-id"] == REQUEST_ID
    named = gateway_event("GET", "/health", headers={"x-correlation-id": "mine"})
    assert invoke(named)["headers"]["x-correlation-id"] == "mine"


def test_a_route_with_its_own_throttle_is_answered(invoke: Any) -> None:
    sent = gateway_event("POST", "/predict/batch", f'{{"questions": [{QUESTION}]}}')
    answer = invoke(sent | {"routeKey": "POST /predict/batch"})
    assert answer["statusCode"] == 200


def test_a_direct_invocation_has_no_throttle_that_it_could_avoid(invoke: Any) -> None:
    sent = gateway_event("POST", "/predict/batch", f'{{"questions": [{QUESTION}]}}')
    del sent["requestContext"]["apiId"]
    assert invoke(sent)["statusCode"] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (gateway_event("POST", "/predict", "{"), 400),
        (gateway_event("POST", "/predict"), 422),
        (gateway_event("GET", "/predict"), 405),
        (gateway_event("GET", "/absent"), 404),
        # A percent-encoded path matches only $default, and so would avoid its own throttle.
        (gateway_event("POST", "/predict/batch", f'{{"questions": [{QUESTION}]}}'), 404),
        (gateway_event("POST", "/predict", QUESTION, headers={"content-type": "text/plain"}), 415),
    ],
)
def test_errors_are_problems(invoke: Any, sent: dict[str, Any], status: int) -> None:
    answer = invoke(sent)
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "ETIQUETTE_MODEL is not set"),
        ({"ETIQUETTE_MODEL": "absent.safetensors"}, "absent.safetensors: "),
        ({"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_MODEL_SHA256": "0" * 64}, "0" * 64),
        (
            {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_MODEL_SHA256": "12"},
            "Set it to the SHA-256",
        ),
        (
            {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_MODLE": "x"},
            "MODLE is not a setting. Remove it",
        ),
        ({"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD'"),
        (
            {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_RANKER": "fast"},
            "ETIQUETTE_RANKER is 'fast', which is not valid: "
            "Input should be 'auto', 'plain' or 'kernel'. Set it to auto",
        ),
        ({"ETIQUETTE_MODEL": "s3://bucket/key"}, "Set ETIQUETTE_MODEL_SHA256"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    settings: dict[str, str], message: str
) -> None:
    plain = {name: value for name, value in os.environ.items() if "ETIQUETTE" not in name}
    command = [sys.executable, "-c", "import lambda_src.api.handler"]
    done = subprocess.run(
        command, cwd=ROOT, env=plain | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("etiquette cannot start: ")
    assert message in line


def test_start_up_imports_no_library_of_training() -> None:
    heavy = ["sklearn", "scipy", "joblib", "pandas", "boto3", "safetensors"]
    program = (
        "import sys, lambda_src.api.handler;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    environment = os.environ | {"ETIQUETTE_MODEL": str(STARTER)}
    out = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, env=environment)
    assert out.decode().splitlines()[-1] == "[]"
