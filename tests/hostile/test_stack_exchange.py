"""Whatever a server answers, the client of the Stack Exchange API returns or says what is wrong."""

import gzip
import io
import json
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from email.message import Message
from typing import Any, Final
from urllib.response import addinfourl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_build.collect.errors import CollectError, QuotaUsedUpError
from model_build.collect.records import CollectedQuestion
from model_build.collect.stack_exchange import StackExchange
from model_build.questions import BadQuestionError
from tests.hostile.cases import CASES, cases
from tests.hostile.texts import JSON_VALUES, encodable, short_texts
from tests.support.stack_exchange import FakeClock

_ITEM: Final = {
    "question_id": 1,
    "creation_date": 1_600_000_000,
    "title": "How do I sort a list?",
    "body": "<p>So</p>",
    "tags": ["python"],
    "owner": {"display_name": "Ann", "user_id": 1},
}
_ANSWER: Final = {
    "items": [_ITEM],
    "has_more": False,
    "quota_max": 300,
    "quota_remaining": 299,
    "total": 1,
    "backoff": 1,
    "error_id": 502,
    "error_name": "throttle_violation",
    "error_message": "too many requests from this IP, more requests available in 5 seconds",
}

_PACKERS: Final[tuple[Callable[[bytes], bytes], ...]] = (bytes, gzip.compress, zlib.compress)


@st.composite
def answers(draw: st.DrawFn) -> tuple[int, bytes]:
    """An HTTP status and a body: an answer of the API with wrong fields, or anything."""
    names = draw(st.lists(st.sampled_from(sorted(_ANSWER)), unique=True))
    answer: dict[str, Any] = {name: _ANSWER[name] for name in names}
    for name in draw(st.lists(st.sampled_from(sorted(_ANSWER)), max_size=3)):
        answer[name] = draw(JSON_VALUES)
    if draw(st.booleans()):
        answer["items"] = [
            _ITEM | draw(st.dictionaries(st.sampled_from(sorted(_ITEM)), JSON_VALUES))
        ]
    body = json.dumps(answer).encode() if draw(st.booleans()) else draw(st.binary(max_size=60))
    packed = draw(st.sampled_from(_PACKERS))(body)
    return draw(st.sampled_from([200, 400, 429, 500, 503])), packed[: draw(st.integers(1, 400))]


class _Answers:
    """Takes the place of `urlopen`: gives the same answer to each request."""

    def __init__(self, status: int, body: bytes) -> None:
        self._status, self._body = status, body

    def __call__(self, request: urllib.request.Request, timeout: float) -> Any:
        if self._status >= 400:
            raise urllib.error.HTTPError(
                request.full_url, self._status, "", Message(), io.BytesIO(self._body)
            )
        response: Any = addinfourl(
            io.BytesIO(self._body), Message(), request.full_url, self._status
        )
        return response


@cases(400)
@given(
    answer=answers(),
    site=st.just("cooking") | short_texts(),
    key=st.none() | short_texts().map(encodable),
)
@example(answer=(400, b'{"error_id": []}'), site="cooking", key=None)
@example(answer=(200, b'{"items": [], "total": 1, "backoff": Infinity}'), site="cooking", key=None)
@example(answer=(200, b'{"items": [], "quota_remaining": -1}'), site="cooking", key=None)
@example(answer=(400, b'{"error_id": 400, "error_name": "\\u001b[2J"}'), site="cooking", key=None)
def test_every_answer_is_read_or_refused(
    answer: tuple[int, bytes], site: str, key: str | None
) -> None:
    CASES["answers of the Stack Exchange API"] += 1
    clock = FakeClock()
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib.request, "urlopen", _Answers(*answer))
        for ask in _QUESTIONS:
            try:
                client = StackExchange(
                    site, key=key, now=clock.now, sleep=clock.sleep, say=said.append
                )
                ask(client)
            except (CollectError, QuotaUsedUpError) as error:
                said.append(str(error))
    for line in said:
        assert line.isprintable(), ascii(line)
    assert clock.now() < 1e6, "the client waits for a time that nobody would wait for"


def _collect(client: StackExchange) -> None:
    for item in client.questions(0, 1).items:
        try:
            CollectedQuestion.from_row(client.row(item))
        except BadQuestionError:
            continue


def _first_synonyms(client: StackExchange) -> None:
    synonyms = client.synonyms()
    # The answer may say for ever that there is more.
    for _ in range(5):
        next(synonyms, None)


_QUESTIONS: Final[tuple[Callable[[StackExchange], object], ...]] = (
    StackExchange.quota,
    lambda client: client.count(0, 1),
    _collect,
    _first_synonyms,
)
