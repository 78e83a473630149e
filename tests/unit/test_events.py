"""Whatever event the function is invoked with, it answers, and it never logs a stack trace."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from mangum import Mangum

from lambda_src.api.app import create_app
from lambda_src.api.events import http_event
from lambda_src.api.settings import Settings
from lambda_src.pre_traffic_check.check import ask
from lambda_src.tagger import TagModel
from tests.support.api_gateway import gateway_event, lambda_context
from tests.support.paths import STARTER

Event = dict[str, Any]
QUESTION = json.dumps({"text": "How do I merge two dictionaries in Python?"})
TAGS = {"python", "dictionary"}


def payload_1(method: str, path: str, body: str | None = None) -> Event:
    """An event of a REST API; an HTTP API's payload format 1.0 also has a version."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Host": "api.example"},
        "multiValueHeaders": {"Content-Type": ["application/json"], "Host": ["api.example"]},
        "queryStringParameters": {"prefix": "pyth"},
        "multiValueQueryStringParameters": {"prefix": ["pyth"]},
        "requestContext": {
            "apiId": "abcdef1234",
            "requestId": "request",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def load_balancer(method: str, path: str, body: str = "", *, multiple: bool = False) -> Event:
    headers = {"content-type": "application/json", "host": "lb.example", "x-forwarded-port": "80"}
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:::t/1"}},
        "httpMethod": method,
        "path": path,
        **(
            {
                "multiValueHeaders": {name: [value] for name, value in headers.items()},
                "multiValueQueryStringParameters": {"prefix": ["pyth"]},
            }
            if multiple
            else {"headers": headers, "queryStringParameters": {"prefix": "pyth"}}
        ),
        "body": body,
        "isBase64Encoded": False,
    }


def function_url(method: str, path: str, body: str | None = None) -> Event:
    event = gateway_event(method, path, body)
    event["requestContext"]["domainName"] = "abc.lambda-url.eu-west-1.on.aws"
    return event


FORMS: dict[str, Callable[..., Event]] = {
    "HTTP API": gateway_event,
    "function URL": function_url,
    "REST API": payload_1,
    "payload format 1.0": lambda *args: payload_1(*args) | {"version": "1.0"},
    "load balancer": load_balancer,
    "load balancer with multiple values": lambda *args: load_balancer(*args, multiple=True),
}


@pytest.fixture(scope="module")
def invoke() -> Callable[[object], Event]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETIQUETTE_MODEL", str(STARTER))
        from lambda_src.api.handler import handler  # noqa: PLC0415 (reads its settings at import)

    def call(event: object) -> Event:
        answer: Event = handler(event, lambda_context())
        return answer

    return call


@pytest.fixture(scope="module")
def invoke_with_cors(invoke: Callable[[object], Event], starter: TagModel) -> Any:
    """Like `invoke`, which also sets the event loop, with CORS for every page."""
    adapter = Mangum(create_app(starter, Settings(model="starter", cors_origins=("*",))), "off")
    return lambda event: adapter(http_event(event), lambda_context())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_request_is_answered(invoke: Callable[[object], Event], form: str) -> None:
    answer = invoke(FORMS[form]("POST", "/predict", QUESTION))
    assert answer["statusCode"] == 200
    assert set(json.loads(answer["body"])["predicted_tags"]) >= TAGS
    listed = invoke(FORMS[form]("GET", "/tags") | {"rawQueryString": "prefix=pyth"})
    tags = json.loads(listed["body"])["tags"]
    assert {each.get("synonym", each["tag"])[:4] for each in tags} == {"pyth"}
    absent = invoke(FORMS[form]("GET", "/abs%65nt"))
    assert absent["statusCode"] == 404
    assert "The path /absent does not exist" in json.loads(absent["body"])["detail"]


@pytest.mark.parametrize("form", FORMS)
def test_names_of_parameters_keep_their_case(invoke: Callable[[object], Event], form: str) -> None:
    event = FORMS[form]("GET", "/tags") | {"rawQueryString": "Prefix=pyth"}
    for name in ("queryStringParameters", "multiValueQueryStringParameters"):
        if name in event:
            event[name] = {"Prefix": event[name]["prefix"]}
    assert len(json.loads(invoke(event)["body"])["tags"]) == 20  # as without a prefix


@pytest.mark.parametrize("form", ["function URL", "REST API", "load balancer"])
def test_a_batch_is_answered_where_there_are_no_routes(
    invoke: Callable[[object], Event], form: str
) -> None:
    answer = invoke(FORMS[form]("POST", "/predict/batch", f'{{"questions": [{QUESTION}]}}'))
    assert answer["statusCode"] == 200


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("invoke")  # it sets the event loop
def test_with_an_origin_secret_only_a_direct_invocation_needs_none(
    starter: TagModel, form: str
) -> None:
    """The heartbeat and the pre-traffic check do not go through CloudFront."""
    secret = "s" * 20
    answer = Mangum(create_app(starter, Settings(model="starter", origin_secret=secret)), "off")
    request = FORMS[form]("GET", "/health")
    assert answer(http_event(request), lambda_context())["statusCode"] == 403
    for name in ("headers", "multiValueHeaders"):
        if name in request:
            request[name]["X-Origin-Secret"] = secret if name == "headers" else [secret]
    assert answer(http_event(request), lambda_context())["statusCode"] == 200

    class Function:
        def invoke(self, **sent: Any) -> Event:
            event = http_event(json.loads(sent["Payload"]))
            return {"Payload": io.BytesIO(json.dumps(answer(event, lambda_context())).encode())}

    assert ask(Function(), "arn", "/health").status == 200


@pytest.mark.parametrize(
    ("event", "description"),
    [
        ({}, "an empty JSON object"),
        ([], "a JSON value of the type list"),
        ("question", "a JSON value of the type str"),
        (None, "a JSON value of the type NoneType"),
        (5, "a JSON value of the type int"),
        (
            {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {"a": "secret"}},
            "a JSON object with the fields detail, detail-type, source",
        ),
        ({"Records": [{"eventSource": "aws:sqs", "body": "secret"}]}, "fields Records"),
        ({"requestContext": {"http": {"method": "GET"}}, "version": "2.0"}, "requestContext"),
        ({"requestContext": {"connectionId": "x", "eventType": "CONNECT"}}, "requestContext"),
        (gateway_event("POST", "/predict") | {"body": {"text": "secret"}}, "body is a dict"),
        (
            gateway_event("POST", "/predict") | {"body": "a", "isBase64Encoded": True},
            "body is not valid base64",
        ),
    ],
)
def test_another_event_gets_one_clear_line(
    invoke: Callable[[object], Event],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    event: object,
    description: str,
) -> None:
    invoke(gateway_event("GET", "/health"))  # so that no cold start is counted below
    capfd.readouterr()
    caplog.clear()
    answer = invoke(event)
    assert answer["statusCode"] == 400
    assert description in json.loads(answer["body"])["detail"]
    assert "call the API's URL" in json.loads(answer["body"])["detail"]
    [record] = caplog.records
    logged = vars(record)
    assert (logged["event_type"], logged["levelname"]) == ("not_http", "WARNING")
    assert description in logged["detail"]
    assert logged["exc_info"] is None
    assert "secret" not in str(logged) + answer["body"]


def changed(event: Event, place: tuple[Any, ...], value: Any) -> Event:
    """A copy of an event with another value in one place; without it if the value is ABSENT."""
    copy: Event = json.loads(json.dumps(event))
    inner: Any = copy
    for step in place[:-1]:
        inner = inner[step]
    if value is ABSENT:
        inner.pop(place[-1], None)
    else:
        inner[place[-1]] = value
    return copy


ABSENT = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to each field of an event, and to each field inside it."""
    if not isinstance(value, dict):
        return []
    return [each for key in value for each in ((*path, key), *places(value[key], (*path, key)))]


# Lone surrogates are among the characters: JSON can contain them.
texts = st.text(st.characters(), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
header_names = st.sampled_from(
    [
        *("host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-for", "cookie"),
        *("content-type", "content-length", "content-encoding", "transfer-encoding"),
        *("accept", "if-none-match", "origin", "x-correlation-id", "authorization"),
        *("access-control-request-method", "range", "expect", "x-origin-secret"),
    ]
)
header_contents = texts | st.sampled_from(
    [
        *("", "443,80", "a:b:c", "[::1]:443", "[", "99999999", "-1", "\u0663", "0" * 5000),
        *("9" * 5000, "application/json; charset=latin1", "gzip", "*", '"', "W/", "a" * 20_000),
        *("application/json;charset", "text/html;q=1e999", "/json", "q=;,;=", "\x00\r\n\t"),
    ]
)
paths = texts.map("/".__add__) | st.sampled_from(
    [
        *("", "/", "//", "/predict/", "//evil.example/", "/health/", "/%", "/%zz", "/%ff%fe"),
        *("/predict/%62atch", "/%E0%A4%A", "/..%2f..", "/tags", "/model", "/docs", "/page.js"),
    ]
)
queries = texts | st.sampled_from(
    ["prefix=%", "prefix=%ff", "prefix=%ed%a0%80", "limit=" + "9" * 5000, "&&==", "prefix=\x00"]
)
bodies = st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode())


def check(answer: Event) -> None:
    assert 200 <= answer["statusCode"] < 500, answer
    encoded = json.dumps(answer, ensure_ascii=False).encode()
    assert len(encoded) < 6_000_000
    # A load balancer gets either single or multiple values of headers.
    headers = answer.get("headers") or {
        name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()
    }
    assert all(isinstance(value, str) for value in headers.values())
    if answer["statusCode"] >= 400:
        assert headers["content-type"] == "application/problem+json"


FAULTS: list[tuple[tuple[str, ...], object]] = [
    (("headers", "x-forwarded-port"), "443,80"),
    (("headers", "host"), "a:b:c"),
    (("headers", "host"), "["),
    (("headers", "host"), ABSENT),
    (("headers", "content-length"), ""),
    (("headers", "content-length"), "9" * 5000),
    (("headers", "content-type"), "\ud800"),
    (("headers", "x-correlation-id"), "\ud800"),
    (("headers",), None),
    (("headers",), ABSENT),
    (("headers",), {"host": None}),
    (("cookies",), [None]),
    (("rawQueryString",), None),
    (("rawQueryString",), "prefix=\ud800"),
    (("routeKey",), ["$default"]),
    (("requestContext", "http", "sourceIp"), ABSENT),
    (("requestContext", "http", "path"), "/absent/\ud800"),
    (("requestContext", "domainName"), None),
    (("requestContext", "requestId"), {}),
    (("body",), None),
    (("body",), "\ud800"),
    (("version",), 2),
]


def name_of(value: object) -> str:
    return "absent" if value is ABSENT else str(value)


@pytest.mark.parametrize(("place", "value"), FAULTS, ids=name_of)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/absent"])
def test_a_fault_of_the_adapter_is_answered(
    invoke: Callable[[object], Event], place: tuple[str, ...], value: object, path: str
) -> None:
    check(invoke(changed(gateway_event("POST", path, QUESTION), place, value)))


bounded = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@bounded
@given(event=values)
def test_any_json_value_is_answered(invoke: Callable[[object], Event], event: object) -> None:
    check(invoke(event))


@bounded
@given(
    form=st.sampled_from(list(FORMS)),
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]) | texts,
    path=paths,
    data=st.data(),
)
def test_any_field_of_a_request_may_have_any_value(
    invoke: Callable[[object], Event], form: str, method: str, path: str, data: st.DataObject
) -> None:
    event = FORMS[form](method, path, QUESTION)
    for place in data.draw(st.lists(st.sampled_from(places(event)), max_size=3)):
        value = data.draw(values | st.just(ABSENT))
        try:
            event = changed(event, place, value)
        except (AttributeError, KeyError, TypeError, IndexError):
            assume(False)  # an earlier change removed the place
    check(invoke(event))


@bounded
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]) | texts,
    path=st.sampled_from(["/predict", "/predict/batch", "/feedback", "/tags", "/"]) | paths,
    sent=st.dictionaries(header_names | texts, header_contents, max_size=4),
    body=bodies,
)
@example("GET", "/health/", {"host": "evil.example/?"}, b"")
@example("POST", "/predict", {"content-type": "x/y+json"}, b"{}")
def test_a_client_may_send_any_headers_and_any_body(
    invoke: Callable[[object], Event], method: str, path: str, sent: dict[str, str], body: bytes
) -> None:
    event = gateway_event(method, path, headers=sent)
    event["body"] = base64.b64encode(body).decode()
    event["isBase64Encoded"] = True
    check(invoke(event))


@bounded
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]),
    path=paths,
    sent=st.dictionaries(header_names | texts, header_contents, max_size=4),
    origin=header_contents,
)
def test_whatever_a_client_sends_a_page_can_read_the_answer(
    invoke_with_cors: Callable[[object], Event],
    method: str,
    path: str,
    sent: dict[str, str],
    origin: str,
) -> None:
    headers = {name: value for name, value in sent.items() if name.lower() != "origin"}
    answer = invoke_with_cors(gateway_event(method, path, headers={**headers, "origin": origin}))
    check(answer)
    assert answer["headers"]["access-control-allow-origin"] == "*"


@bounded
@given(path=st.sampled_from(["/tags", "/", "/health/"]), query=queries)
@example("/tags", "prefix=%ed%a0%80&limit=%d9%a3")
def test_a_client_may_send_any_query(
    invoke: Callable[[object], Event], path: str, query: str
) -> None:
    check(invoke(gateway_event("GET", path) | {"rawQueryString": query}))


@pytest.mark.parametrize("path", ["/health/", "//evil.example/", "/a//", "/%2f%2fevil.example/"])
def test_a_slash_at_the_end_leads_to_the_path_without_it_on_the_same_host(
    invoke: Callable[[object], Event], path: str
) -> None:
    answer = invoke(gateway_event("GET", path, headers={"host": "evil.example"}))
    assert answer["statusCode"] == 307
    assert answer["headers"]["location"].startswith("../")
