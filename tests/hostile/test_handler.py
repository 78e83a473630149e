"""Whatever event the function is invoked with, it answers and logs whole lines."""

import base64
import copy
import io
import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.cases import CASES, cases
from tests.hostile.problems import check_answer
from tests.hostile.texts import JSON_VALUES, short_texts, texts
from tests.support.api_gateway import gateway_event, lambda_context
from tests.support.paths import STARTER
from tests.unit.test_events import FORMS

Event = dict[str, Any]
Invoke = Callable[[object], tuple[Event, list[str]]]

PATHS = st.sampled_from(
    [
        *("/", "/predict", "/predict/batch", "/feedback", "/tags", "/model", "/model/health"),
        *("/health", "/docs", "/openapi.json", "/page.js", "/predict/", "//", "/%2e%2e/", "/\r\n"),
    ]
) | short_texts().map(lambda text: f"/{text}")
METHODS = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "", "<b>", "\n"])
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("content-type", "content-length", "content-encoding", "accept", "host", "origin"),
            *("x-correlation-id", "x-forwarded-port", "x-forwarded-proto", "if-none-match"),
            *("access-control-request-method", "transfer-encoding", "authorization", "cookie"),
        ]
    )
    | short_texts(),
    short_texts() | st.sampled_from(["application/json", "gzip", "1e9", "*/*", "text/html"]),
    max_size=4,
)
FIELDS = st.sampled_from(
    [
        *("text", "title", "body", "body_format", "max_tags", "min_confidence", "exclude"),
        *("explain", "draft", "questions", "prediction_id", "accepted", "final_tags"),
    ]
)
BODIES = (
    st.one_of(
        st.fixed_dictionaries({"text": texts()}),
        st.fixed_dictionaries({"title": short_texts(), "body": texts(), "explain": st.just(True)}),
        st.dictionaries(FIELDS | short_texts(), JSON_VALUES, max_size=4),
        st.fixed_dictionaries({"questions": st.lists(JSON_VALUES, max_size=4)}),
        JSON_VALUES,
    ).map(json.dumps)
    | texts()
)


@st.composite
def events(draw: st.DrawFn) -> object:
    """An event of any form, in which some fields have other values or are missing."""
    event: Any = FORMS[draw(st.sampled_from(sorted(FORMS)))](
        draw(METHODS), draw(PATHS), draw(BODIES)
    )
    event = copy.deepcopy(event)
    for name, value in draw(HEADERS).items():
        for kind, one in (("headers", value), ("multiValueHeaders", [value])):
            if kind in event:
                event[kind][name] = one
    if draw(st.booleans()):
        text = event["body"].encode(errors="surrogatepass")
        event |= {"body": base64.b64encode(text).decode(), "isBase64Encoded": True}
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(list(_places(event))))
        inner = event
        for name in place[:-1]:
            inner = inner[name]
        if draw(st.booleans()):
            inner[place[-1]] = draw(JSON_VALUES)
        else:
            del inner[place[-1]]
        if not event:
            return event
    return event


def _places(value: object) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (name,)
            yield from ((name, *rest) for rest in _places(inner))


@pytest.fixture(scope="module")
def invoke() -> Iterator[Invoke]:
    """Call the handler; returns the answer and the lines of the log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ETIQUETTE_MODEL", str(STARTER))
        from lambda_src.api import app, handler  # noqa: PLC0415 (reads its settings at import)

    [log_handler] = app.app.state.logger.handlers
    stream = log_handler.stream

    def call(event: object) -> tuple[Event, list[str]]:
        written = io.StringIO()
        log_handler.setStream(written)
        with redirect_stdout(written):
            answer: Event = handler.handler(event, lambda_context())
        return answer, written.getvalue().split("\n")[:-1]

    yield call
    log_handler.setStream(stream)


@cases(300)
@given(event=events() | JSON_VALUES)
def test_every_event_is_answered(invoke: Invoke, event: object) -> None:
    CASES["events"] += 1
    # Lambda hands over what it has parsed: an event is JSON.
    answer, lines = invoke(json.loads(json.dumps(event)))
    assert json.loads(json.dumps(answer)) == answer
    headers = answer["headers"] if "headers" in answer else _single(answer["multiValueHeaders"])
    status = answer["statusCode"]
    if answer.get("body") or status < 400:
        check_answer(status, headers, answer.get("body", ""))
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert line.isprintable(), ascii(line)


def _single(headers: dict[str, list[str]]) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in headers.items()}


def test_the_longest_hostile_header_and_query_are_answered(invoke: Invoke) -> None:
    event = gateway_event("GET", "/tags", headers={"accept": "a/b;q=0.1," * 1_000})
    answer, _ = invoke(event | {"rawQueryString": "prefix=%" * 1_000})
    assert answer["statusCode"] == 422
    check_answer(answer["statusCode"], answer["headers"], answer["body"])
