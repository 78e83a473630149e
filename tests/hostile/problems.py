"""What every error of the API must be: a problem that repeats nothing that could do harm."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

MEDIA_TYPE = "application/problem+json"
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, of those that nobody sees, of halves of surrogate
pairs, and of separators of lines and paragraphs."""


def check_answer(status: int, headers: Mapping[str, str], body: str) -> None:
    """Check an answer of the API to a hostile request."""
    assert status < 500 or status == 503, body
    for name, value in headers.items():
        assert not set(name + value) & {"\r", "\n", "\0"}, "a header was injected"
    if status < 400:
        return
    assert headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = json.loads(body)
    assert {"type", "title", "status", "detail", "correlation_id"} <= problem.keys()
    assert problem["status"] == status
    for text in _strings(problem):
        assert not [each for each in text if unicodedata.category(each) in _HARMFUL], ascii(text)
        assert not {"<", ">", "`"} & set(text), text


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in inner for text in _strings(each)]
