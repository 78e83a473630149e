"""HEAD, OPTIONS and CORS: every route and every answer, whatever the status."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.environment_settings import SettingsError
from lambda_src.tagger import TagModel
from tests.support.paths import HEALTH_REPORT

ORIGIN = "https://example.com"
SECRET = "s" * 20
GET = [
    "/",
    "/health",
    "/model",
    "/model/health",
    "/tags",
    "/docs",
    "/openapi.json",
    "/page.css",
    "/page.js",
]
POST = ["/predict", "/predict/batch", "/feedback"]
JSON = {"content-type": "application/json"}


def make_app(starter: TagModel, **settings: Any) -> FastAPI:
    report = str(HEALTH_REPORT)
    app = create_app(starter, Settings(model="starter", health_report=report, **settings))

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    return app


@pytest.fixture(scope="module")
def client(starter: TagModel) -> TestClient:
    return TestClient(make_app(starter), raise_server_exceptions=False)


@pytest.fixture(scope="module", params=[ORIGIN, "*"])
def cors_client(starter: TagModel, request: pytest.FixtureRequest) -> TestClient:
    app = make_app(starter, cors_origins=(request.param,))
    return TestClient(app, raise_server_exceptions=False)


def test_the_lists_above_are_complete(client: TestClient) -> None:
    document = client.get("/openapi.json").json()["paths"]
    assert {path for path, methods in document.items() if "post" in methods} == set(POST)
    assert {path for path, methods in document.items() if "get" in methods} <= {*GET, "/broken"}


@pytest.mark.parametrize("path", GET)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_head_is_get_without_the_content(client: TestClient, path: str, accept: str) -> None:
    got = client.get(path, headers={"accept": accept})
    head = client.head(path, headers={"accept": accept})
    assert (head.status_code, head.content) == (200, b"")
    unequal = {"x-correlation-id"}
    assert {k: v for k, v in head.headers.items() if k not in unequal} == {
        k: v for k, v in got.headers.items() if k not in unequal
    }
    assert int(head.headers["content-length"]) == len(got.content) > 0


@pytest.mark.parametrize(
    ("path", "status"), [("/absent", 404), ("/predict", 405), ("/broken", 500), ("/tags/", 307)]
)
def test_head_of_another_path_has_the_status_alone(
    client: TestClient, path: str, status: int
) -> None:
    response = client.head(path, follow_redirects=False)
    assert (response.status_code, response.content) == (status, b"")


def test_options_says_what_is_allowed(client: TestClient) -> None:
    for paths, allowed in ((GET, "GET, HEAD, OPTIONS"), (POST, "OPTIONS, POST")):
        for path in paths:
            response = client.options(path)
            assert (response.status_code, response.headers["allow"]) == (204, allowed)
            assert response.content == b""
            assert response.headers["x-correlation-id"]
            refused = client.put(path, content=b"{}", headers=JSON)
            assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
    assert client.options("/absent").status_code == 404


ANSWERS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/health", {}, 200),
    ("GET", "/tags", {"headers": {"if-none-match": "*"}}, 304),
    ("GET", "/health/", {}, 307),
    ("POST", "/predict", {"content": b"{", "headers": JSON}, 400),
    ("GET", "/absent", {}, 404),
    ("GET", "/predict", {}, 405),
    ("POST", "/predict", {"json": {"text": "x" * 70_000}}, 413),
    ("POST", "/predict", {"json": {"text": "x" * 1_100_000}}, 413),
    ("POST", "/predict", {"content": b"a"}, 415),
    ("POST", "/predict", {"json": {}}, 422),
    ("GET", "/broken", {}, 500),
    ("HEAD", "/absent", {}, 404),
    ("OPTIONS", "/predict", {}, 204),
    ("OPTIONS", "/absent", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "sent", "status"), ANSWERS)
def test_every_answer_can_be_read_by_an_allowed_page(
    cors_client: TestClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    headers = {"origin": ORIGIN, **sent.get("headers", {})}
    response = cors_client.request(
        method, path, **{**sent, "headers": headers}, follow_redirects=False
    )
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] in (ORIGIN, "*")
    assert response.headers["access-control-expose-headers"] == "x-correlation-id, retry-after"
    assert response.headers["x-correlation-id"]


def test_a_refusal_for_lack_of_the_secret_can_be_read_by_an_allowed_page(
    starter: TagModel,
) -> None:
    app = make_app(starter, cors_origins=(ORIGIN,), origin_secret=SECRET)
    response = TestClient(app).get("/health", headers={"origin": ORIGIN})
    assert response.status_code == 403
    assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("path", [*GET, *POST, "/absent", "/health/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_preflight_works_for_every_route(cors_client: TestClient, path: str, method: str) -> None:
    response = cors_client.options(
        path,
        headers={
            "origin": ORIGIN,
            "access-control-request-method": method,
            "access-control-request-headers": "content-type, authorization, x-correlation-id",
        },
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] in (ORIGIN, "*")
    assert method in response.headers["access-control-allow-methods"]
    assert response.headers["x-correlation-id"]


@pytest.mark.parametrize(
    "sent",
    [
        "authorization,content-type,x-amz-date,x-amz-security-token",  # a signature (auth=iam)
        "content-type,x-amz-content-sha256",
        "content-type,traceparent,tracestate",
        "If-None-Match",
    ],
)
def test_a_page_may_send_what_signatures_and_traces_need(starter: TagModel, sent: str) -> None:
    client = TestClient(make_app(starter, cors_origins=(ORIGIN,)))
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": sent,
    }
    response = client.options("/predict", headers=asked)
    assert response.status_code == 200
    allowed = response.headers["access-control-allow-headers"].lower()
    assert {*sent.lower().split(",")} <= {each.strip() for each in allowed.split(",")}


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"origin": "https://evil.example"}, "Disallowed CORS origin. The operator"),
        ({"access-control-request-method": "PUT"}, "Disallowed CORS method. Pages may use GET,"),
        (
            {"access-control-request-headers": "x-other"},
            "Disallowed CORS headers. Pages may send the headers content-type, ",
        ),
    ],
)
def test_a_preflight_that_is_refused_is_a_problem(
    starter: TagModel, changed: dict[str, str], cause: str
) -> None:
    client = TestClient(make_app(starter, cors_origins=(ORIGIN,)))
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    response = client.options("/predict", headers=asked | changed)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert cause in response.json()["detail"]
    assert ("access-control-allow-origin" in response.headers) == ("origin" not in changed)


def test_without_cors_no_page_may_read_an_answer(client: TestClient) -> None:
    for _, path, _, _ in ANSWERS:
        response = client.get(path, headers={"origin": ORIGIN})
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", [*GET, *POST, "/absent", "/health/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_with_an_origin_secret_a_request_without_it_is_refused(
    starter: TagModel, method: str, path: str
) -> None:
    client = TestClient(make_app(starter, origin_secret=SECRET), follow_redirects=False)
    for sent in ({}, {"x-origin-secret": ""}, {"x-origin-secret": SECRET[1:]}):
        response = client.request(method, path, headers=sent)
        assert response.status_code == 403
        assert response.headers["content-type"] == "application/problem+json"
    allowed = client.request(method, path, headers={"x-origin-secret": SECRET})
    assert allowed.status_code != 403


@pytest.mark.parametrize("secret", ["", "short", "with spaces in the middle of it", "é" * 30])
def test_a_wrong_origin_secret_stops_the_start_and_is_not_shown(secret: str) -> None:
    environment = {"ETIQUETTE_MODEL": "m", "ETIQUETTE_ORIGIN_SECRET": secret}
    with pytest.raises(SettingsError, match="ETIQUETTE_ORIGIN_SECRET is not valid") as refused:
        Settings.from_environment(environment)
    assert not secret or secret not in str(refused.value)
