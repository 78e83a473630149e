"""The API keeps to its OpenAPI document, whatever is sent: schemathesis with all of its checks."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from tests.hostile.cases import CASES, cases
from tests.hostile.problems import check_answer
from tests.support.api_gateway import gateway_event, lambda_context
from tests.support.paths import HEALTH_REPORT, STARTER

Case = schemathesis.Case[Any]


def through_api_gateway(handler: Callable[[Any, Any], dict[str, Any]]) -> Any:
    """Return a WSGI application that hands requests to the function as API Gateway does."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1")
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        route = f"{method} {path.decode(errors='replace')}"
        event = gateway_event(method, path.decode(errors="replace"), route=route)
        # The client decides what it accepts and what it sends.
        event["headers"].pop("content-type")
        event |= {
            "rawQueryString": environ["QUERY_STRING"],
            "headers": event["headers"] | headers,
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = handler(event, lambda_context())
        start_response(f"{answer['statusCode']} ", list(answer["headers"].items()))
        content = answer["body"]
        is_binary = answer.get("isBase64Encoded")
        return [base64.b64decode(content) if is_binary else content.encode()]

    return application


def _handler() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETIQUETTE_MODEL", str(STARTER))
        from lambda_src.api.handler import handler  # noqa: PLC0415 (reads its settings at import)

    return handler


# Schemathesis makes a test for each operation when pytest collects this module.
_SETTINGS = Settings(model="starter", health_report=str(HEALTH_REPORT))
OF_APPLICATION = schemathesis.openapi.from_asgi(
    "/openapi.json", create_app(TagModel.load(STARTER), _SETTINGS)
)
OF_FUNCTION = schemathesis.openapi.from_wsgi("/openapi.json", through_api_gateway(_handler()))


def _check(case: Case) -> None:
    response = case.call()
    headers = {name: ", ".join(values) for name, values in response.headers.items()}
    if case.method != "HEAD":
        check_answer(response.status_code, headers, response.text or "")
    case.validate_response(response)


@OF_APPLICATION.parametrize()
@cases(12)
def test_the_application_keeps_to_its_document(case: Case) -> None:
    CASES["requests of schemathesis, to the application"] += 1
    _check(case)


@OF_FUNCTION.parametrize()
@cases(6)
def test_the_function_keeps_to_its_document(case: Case) -> None:
    CASES["requests of schemathesis, to the function's handler"] += 1
    _check(case)
