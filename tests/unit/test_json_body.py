"""JSON bodies that other readers may understand differently are refused, with the cause."""

import codecs
import gzip
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.api.app import create_app
from lambda_src.api.json_body import parse
from lambda_src.api.problems import ProblemError
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel

JSON = {"content-type": "application/json"}
QUESTION = {"text": "How do I merge two dictionaries in Python?"}
BODY = json.dumps(QUESTION).encode()


@pytest.fixture(scope="module")
def client(starter: TagModel) -> TestClient:
    return TestClient(create_app(starter, Settings(model="starter")), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"{", "not valid JSON: Expecting property name"),
        (b'{"text": "a",}', "in line 1, column"),
        (b"", "body: Field required"),
        (gzip.compress(BODY, mtime=0), "compressed with gzip. Send it uncompressed"),
        (json.dumps(QUESTION).encode("utf-16"), "UTF-16 or UTF-32. Encode it as UTF-8"),
        (json.dumps(QUESTION).encode("utf-16-le"), "UTF-16 or UTF-32"),
        (json.dumps(QUESTION).encode("utf-16-be"), "UTF-16 or UTF-32"),
        (json.dumps(QUESTION).encode("utf-32"), "UTF-16 or UTF-32"),
        ('{"text": "déjà"}'.encode("latin-1"), "the byte 0xe9 is wrong at position 11"),
        (b'{"text": "\xed\xa0\x80"}', "not valid UTF-8"),
        (b'{"text": "python \\ud83d"}', "half of a surrogate pair"),
        (b'{"text": "python \\uDE00"}', "half of a surrogate pair"),
        (b'{"\\ud83d": 1}', "half of a surrogate pair"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"text":' * 100_000, "nested too deeply"),
        (b'{"text": "a", "max_tags": ' + b"9" * 5_000 + b"}", "number with too many digits"),
        (b'{"text": "a", "min_confidence": NaN}', "contains NaN, which is no JSON number"),
        (b'{"text": "a", "min_confidence": -Infinity}', "contains -Infinity"),
        (b'{"text": "a", "text": "b"}', "the key 'text' twice"),
        (b'{"text": "a", "x": {"y": 1, "y": 1}}', "the key 'y' twice"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_cause(
    client: TestClient, body: bytes, cause: str
) -> None:
    response = client.post("/predict", content=body, headers=JSON)
    assert response.status_code == (422 if not body else 400)
    assert response.headers["content-type"] == "application/problem+json"
    assert cause in response.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"content-encoding": "gzip"}, "content-encoding 'gzip' is not supported"),
        ({"content-encoding": "br, gzip"}, "Send the body uncompressed"),
        ({"content-type": "application/json; charset=latin1"}, "charset 'latin1'"),
        ({"content-type": 'application/json;Charset="UTF-16"'}, "Encode the body as UTF-8"),
        ({"content-type": "image/x+json"}, "content-type: application/json"),
        ({"content-type": "application/json, application/json"}, "must be JSON"),
    ],
)
def test_an_encoding_that_is_not_supported_is_refused(
    client: TestClient, headers: dict[str, str], cause: str
) -> None:
    response = client.post("/predict", content=BODY, headers=JSON | headers)
    assert response.status_code == 415
    assert cause in response.json()["detail"]
    if "content-encoding" in headers:
        assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON ; charset=UTF-8",
        'application/json; charset="utf8"',
        "application/json; charset=us-ascii; version=1",
        "application/ld+json",
    ],
)
def test_every_name_of_json_in_utf_8_is_accepted(client: TestClient, content_type: str) -> None:
    headers = {"content-type": content_type, "content-encoding": "identity"}
    assert client.post("/predict", content=BODY, headers=headers).status_code == 200


def test_a_byte_order_mark_before_utf_8_is_ignored(client: TestClient) -> None:
    response = client.post("/predict", content=codecs.BOM_UTF8 + BODY, headers=JSON)
    assert response.json()["predicted_tags"][0] == "python"


@pytest.mark.parametrize("length", ["", "+5", "5, 5", "five", "\u0663", "0" * 5_000])
def test_a_content_length_that_is_no_number_is_not_too_large(
    client: TestClient, length: str
) -> None:
    headers = {b"content-type": b"application/json", b"content-length": length.encode()}
    assert client.post("/predict", content=BODY, headers=headers).status_code == 200


@pytest.mark.parametrize("length", ["1048577", "0" * 5_000 + "1048577", "9" * 5_000])
def test_a_content_length_above_the_limit_is_too_large(client: TestClient, length: str) -> None:
    headers = JSON | {"content-length": length}
    assert client.post("/predict", content=BODY, headers=headers).status_code == 413


def test_the_time_to_find_a_repeated_key_does_not_grow_with_the_square_of_the_keys() -> None:
    """With the square, this body of one mebibyte would take minutes."""
    keys = [f'"{number}":1' for number in range(100_000)]
    with pytest.raises(ProblemError, match="the key '99999' twice"):
        parse(f"{{{','.join([*keys, keys[-1]])}}}".encode())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Characters of category Cs are surrogates.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(json_values, st.booleans())
def test_every_json_value_is_read_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_a_problem(body: bytes) -> None:
    status = 200
    try:
        parse(body)
    except ProblemError as problem:
        status = problem.status_code
    assert status in {200, 400, 422}
