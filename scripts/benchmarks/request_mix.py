"""The requests of an ordinary day, and those of people who make mistakes or mean harm.

The questions are the project's own. Every run with the same seed sends the same requests.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any, Final, NamedTuple

from scripts.benchmarks.growth import LARGEST, hostile_questions
from scripts.shared.paths import ROOT

_QUESTIONS: Final = ROOT / "lambda_src" / "pre_traffic_check" / "questions.jsonl"
_JSON: Final = {"content-type": "application/json"}
BATCH: Final = 10


class HttpRequest(NamedTuple):
    """A request, and the status that it must be answered with."""

    kind: str
    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    status: int


def questions() -> list[dict[str, str]]:
    """Return the title and the body of each question."""
    lines = _QUESTIONS.read_text(encoding="utf-8").splitlines()
    return [{name: json.loads(line)[name] for name in ("title", "body")} for line in lines]


def suggestions() -> Iterator[HttpRequest]:
    """Yield requests for suggestions without end."""
    for question in cycle(questions()):
        yield _post("suggest", "/predict", question)


class RequestMix:
    """Makes a mix of all sorts of requests.

    `answered` passes on the identifiers of predictions, so that feedback is about real ones.

    Parameters
    ----------
    seed : int
        Of the order of the sorts.
    """

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (an order, not a secret)
        self._questions = questions()
        self._hostile = cycle(hostile_questions().items())
        self._refused = cycle(_REFUSED)
        self._pages = cycle(_PAGES)
        self._prediction_id: str | None = None

    def __iter__(self) -> Iterator[HttpRequest]:
        """Yield requests without end."""
        makers, weights = zip(*_SORTS, strict=True)
        while True:
            (maker,) = self._chance.choices(makers, weights)
            yield maker(self)

    def answered(self, answer: bytes) -> None:
        """Remember the prediction of an answer."""
        try:
            found = json.loads(answer)
        except ValueError:  # a page, and no JSON
            return
        if isinstance(found, dict) and "predicted_tags" in found:
            self._prediction_id = found["prediction_id"]

    def _suggest(self) -> HttpRequest:
        return _post("suggest", "/predict", self._question())

    def _draft(self) -> HttpRequest:
        return _post("draft", "/predict", self._question() | {"draft": True})

    def _explain(self) -> HttpRequest:
        return _post("explain", "/predict", self._question() | {"explain": True})

    def _batch(self) -> HttpRequest:
        asked = [self._question() for _ in range(BATCH - 1)]
        return _post("batch", "/predict/batch", {"questions": [*asked, {"text": ""}]})

    def _feedback(self) -> HttpRequest:
        if self._prediction_id is None:
            return self._suggest()
        value = {"prediction_id": self._prediction_id, "final_tags": ["python", "brand-new"]}
        return _post("feedback", "/feedback", value, 202)

    def _page(self) -> HttpRequest:
        return HttpRequest("page", "GET", next(self._pages), b"", {}, 200)

    def _refusal(self) -> HttpRequest:
        return next(self._refused)

    def _hostile_question(self) -> HttpRequest:
        kind, (title, body) = next(self._hostile)
        return _post(f"hostile: {kind}", "/predict", {"title": title or "?", "body": body[:-1]})

    def _question(self) -> dict[str, Any]:
        return dict(self._chance.choice(self._questions))


def _post(kind: str, path: str, value: object, status: int = 200) -> HttpRequest:
    return HttpRequest(kind, "POST", path, json.dumps(value).encode(), _JSON, status)


_SORTS: Final[tuple[tuple[Callable[[RequestMix], HttpRequest], int], ...]] = (
    (RequestMix._suggest, 35),
    (RequestMix._draft, 20),
    (RequestMix._feedback, 15),
    (RequestMix._explain, 8),
    (RequestMix._page, 8),
    (RequestMix._refusal, 6),
    (RequestMix._batch, 4),
    (RequestMix._hostile_question, 4),
)
"""What is sent, and how often of a hundred times."""
_PAGES: Final = ("/health", "/model", "/tags", "/", "/openapi.json", "/page.js")
_REFUSED: Final = (
    _post("refused", "/predict", {"text": ""}, 422),
    _post("refused", "/predict", {"title": "x", "max_tags": 9}, 422),
    _post("refused", "/predict", {"title": "x", "body": "y" * (LARGEST + 1)}, 413),
    _post("refused", "/feedback", {"prediction_id": "?", "accepted": []}, 422),
    _post("refused", "/absent", {}, 404),
    HttpRequest("refused", "POST", "/predict", b"{", _JSON, 400),
    HttpRequest("refused", "POST", "/predict", b"[" * 50_000, _JSON, 400),
    HttpRequest("refused", "POST", "/predict", b"text=x", {"content-type": "text/plain"}, 415),
    HttpRequest("refused", "DELETE", "/predict", b"", {}, 405),
)
