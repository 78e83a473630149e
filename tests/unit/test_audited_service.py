"""How the audit asks the live model: by HTTP, or by invoking its function."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambda_src.tagger import TagModel
from model_build.audit.errors import AuditError
from model_build.audit.http_api import HttpApi
from model_build.audit.live_function import LiveFunction
from model_build.audit.service import Service
from model_build.questions import Question
from tests.support.live_service import ALIAS, LiveService, invoke_instead_of_aws, serve_model


@pytest.fixture
def service(starter: TagModel) -> Iterator[LiveService]:
    with serve_model(LiveService(starter)) as running:
        yield running


def asked(service: LiveService, **options: Any) -> Service:
    return Service(HttpApi(service.url, **options), sleep=lambda seconds: None)


QUESTION = Question("How do I sort a list in Python?", "", ("python",))


def test_failures_that_pass_are_repeated(service: LiveService) -> None:
    service.failures = [429, 503, 0]
    answer = asked(service).predict(QUESTION)
    assert answer is not None
    assert answer.suggestions[0].tag == "python"


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ([503] * 4, "does not answer.*HTTP 503"),
        ([0] * 4, "does not answer"),
        ([403], "refuses the request.*--auth"),
        ([404], "does not answer as the service does"),
        ([200], "does not answer as the service does"),
    ],
)
def test_other_failures_stop_the_audit(
    failures: list[int], message: str, service: LiveService
) -> None:
    service.failures = failures
    with pytest.raises(AuditError, match=message):
        asked(service).predict(QUESTION)


def test_credentials_are_sent_as_the_api_needs_them(
    service: LiveService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(service, authorization="jwt", token="secret").predict(QUESTION)
    assert service.headers[-1]["authorization"] == "Bearer secret"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    asked(service, authorization="iam").predict(QUESTION)
    signature = service.headers[-1]["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert "/eu-west-1/execute-api/aws4_request" in signature
    with pytest.raises(AuditError, match="set ETIQUETTE_TOKEN"):
        asked(service, authorization="jwt")


@pytest.fixture
def function(service: LiveService, monkeypatch: pytest.MonkeyPatch) -> LiveService:
    """The service, which can be invoked as a function."""
    invoke_instead_of_aws(service, monkeypatch)
    return service


def invoked() -> Service:
    return Service(LiveFunction(ALIAS), sleep=lambda seconds: None)


def test_an_invocation_that_fails_for_a_while_is_repeated(function: LiveService) -> None:
    function.failures = [429, 500, 0]
    answer = invoked().predict(QUESTION)
    assert answer is not None
    assert answer.suggestions[0].tag == "python"
    large = Question("x", "word " * 20_000, ("python",))
    assert invoked().predict(large) is None


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ([403], "refuses the request.*lambda:InvokeFunction"),
        ([404], "does not answer as the service does"),
        ([500] * 4, "does not answer"),
    ],
)
def test_other_failures_of_an_invocation_stop_the_audit(
    failures: list[int], message: str, function: LiveService
) -> None:
    function.failures = failures
    with pytest.raises(AuditError, match=message):
        invoked().predict(QUESTION)


def test_a_function_that_raises_an_exception_stops_the_audit(function: LiveService) -> None:
    function.function_fails = True
    with pytest.raises(AuditError, match=r"does not answer.*HTTP 502"):
        invoked().predict(QUESTION)
