"""How much of one caller's feedback counts, from the request to the figures of the day."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mangum import Mangum

from lambda_src.api.app import create_app
from lambda_src.api.events import http_event
from lambda_src.api.principals import pseudonym
from lambda_src.api.settings import Settings
from lambda_src.monitor.run import run
from lambda_src.monitor.shares import MIN_COUNTED, most_counted
from lambda_src.monitor.store import FolderStore
from lambda_src.tagger import TagModel
from tests.support.api_gateway import gateway_event, lambda_context
from tests.support.events import EventLog
from tests.support.paths import STARTER

KEY = "k" * 48
QUESTION = "How do I merge two dictionaries in Python?"
DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ISSUER = "https://id.example.org"


def token(**claims: Any) -> dict[str, Any]:
    return {"jwt": {"claims": {"iss": ISSUER, **claims}, "scopes": None}}


def signature(user_id: str) -> dict[str, Any]:
    return {"iam": {"userId": user_id, "userArn": "arn:aws:iam::123456789012:user/a"}}


def pseudonym_of(authorizer: Any, key: str | None = KEY) -> str | None:
    event = gateway_event("POST", "/predict", "{}")
    event["requestContext"]["authorizer"] = authorizer
    return pseudonym({"aws.event": http_event(event)}, key)


# The pseudonym


def test_a_pseudonym_depends_on_the_caller_and_the_key() -> None:
    own = pseudonym_of(token(sub="ada"))
    assert own is not None
    assert len(own) == 16
    assert int(own, 16)
    assert own == pseudonym_of(token(sub="ada", exp="1", scope="other"))
    others = [
        pseudonym_of(token(sub="bob")),
        pseudonym_of(token(sub="ada") | {}, "x" * 48),
        pseudonym_of({"jwt": {"claims": {"iss": "https://other", "sub": "ada"}}}),
    ]
    assert len({own, *others}) == 4


def test_a_pseudonym_is_of_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=1)

    today = pseudonym_of(token(sub="ada"))
    monkeypatch.setattr("lambda_src.api.principals.datetime", Tomorrow)
    assert pseudonym_of(token(sub="ada")) != today


def test_a_caller_cannot_choose_another_pseudonym_with_the_name_of_a_session() -> None:
    assert pseudonym_of(signature("AROAEXAMPLE:one")) == pseudonym_of(signature("AROAEXAMPLE:two"))
    assert pseudonym_of(signature("AROAEXAMPLE:one")) != pseudonym_of(signature("AROAOTHER:one"))


@pytest.mark.parametrize(
    "authorizer",
    [None, "jwt", {"jwt": None}, {"jwt": {"claims": None}}, {"jwt": {"claims": {}}},
     {"iam": {"userId": 7}}, {"iam": None}, {"lambda": {"sub": "ada"}}],
)  # fmt: skip
def test_callers_whom_nobody_identified_have_none(authorizer: Any) -> None:
    assert pseudonym_of(authorizer) is None


def test_without_a_key_nobody_has_one() -> None:
    assert pseudonym_of(token(sub="ada"), None) is None


def test_a_program_without_a_subject_is_identified_by_its_client() -> None:
    assert pseudonym_of(token(client_id="batch")) is not None
    assert pseudonym_of(token(client_id="batch")) != pseudonym_of(token(client_id="other"))


def test_events_have_the_pseudonym_and_never_the_identity(
    starter: TagModel, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(model="starter", service="pseudonyms", principal_key=KEY)
    adapter = Mangum(create_app(starter, settings), lifespan="off")

    def send(path: str, value: object, route: str = "$default") -> list[dict[str, Any]]:
        event = gateway_event("POST", path, json.dumps(value), route=route)
        event["requestContext"]["authorizer"] = token(sub="ada@example.org", client_id="web")
        answer = adapter(http_event(event), lambda_context())
        assert answer["statusCode"] < 300
        output = capsys.readouterr().out
        assert "ada" not in output
        assert ISSUER not in output
        return [line for line in map(json.loads, output.splitlines()) if "event_type" in line]

    (prediction,) = send("/predict", {"text": QUESTION})
    batch = send("/predict/batch", {"questions": [{"text": QUESTION}] * 2}, "POST /predict/batch")
    value = {"prediction_id": prediction["prediction_id"], "final_tags": ["python"]}
    (feedback,) = send("/feedback", value, "POST /feedback")
    events = [prediction, *batch, feedback]
    (principal,) = {each["principal"] for each in events}
    assert len(principal) == 16
    assert {each["event_version"] for each in events} == {1}


# The formula


@given(
    st.lists(st.integers(1, 300), max_size=30),
    st.integers(0, 300),
    st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0]),
)
def test_the_limit_is_the_largest_that_keeps_every_share(
    counts: list[int], unnamed: int, share: float
) -> None:
    found = most_counted(counts, unnamed, share)

    def fits(most: int) -> bool:
        return most <= share * (unnamed + sum(min(each, most) for each in counts))

    largest = max(counts, default=0)
    assert found >= MIN_COUNTED
    assert found == MIN_COUNTED or fits(found)
    assert found >= largest or not fits(found + 1)


def test_a_single_caller_still_reaches_what_a_week_needs() -> None:
    assert 7 * most_counted([10_000], unnamed=0, share=0.1) >= 100


# The figures


Answers = Mapping[str, tuple[int, str]]
"""How many questions each caller asks, and the tag that it then says it chose."""


@pytest.fixture(scope="module")
def model() -> TagModel:
    return TagModel.load(STARTER)


@pytest.fixture
def measured(tmp_path: Path, model: TagModel) -> Callable[..., dict[str, Any]]:
    """Return a function that lets callers ask and give feedback, and returns the day's figures."""

    def measure(answers: Answers, *, days_later: int = 0, share: float = 0.1) -> dict[str, Any]:
        log = EventLog(model, model_version="v1")
        for principal, (count, tag) in answers.items():
            for number in range(count):
                at = NOON + timedelta(seconds=number)
                prediction = log.predict(at, QUESTION, principal=principal)
                later = at + timedelta(days=number % (days_later + 1))
                # The pseudonym of the feedback is that of its own day.
                log.feedback(
                    later,
                    prediction,
                    final_tags=[tag],
                    authenticated=True,
                    principal=f"{principal} {later.date()}",
                )
        log.write(tmp_path)
        today = DAY + timedelta(days=days_later)
        run(FolderStore(tmp_path), today, memory_mb=256, threads=2, share=share)
        return dict(json.loads((tmp_path / "days" / f"{DAY}.json").read_bytes())["models"]["v1"])

    return measure


HONEST: Answers = {f"honest {number}": (3, "java") for number in range(60)}
FLOOD = 1000


def test_a_flood_of_one_caller_is_cut_to_its_share(measured: Any) -> None:
    figures = measured({**HONEST, "flood": (FLOOD, "python")})
    assert figures["judged"] == 200
    assert figures["over_share"] == FLOOD - 20
    assert figures["predictions"] == figures["feedbacks"] == FLOOD + 180
    assert figures["precision_at_1"]["numerator"] == 20  # a tenth, and not 85 per cent


def test_feedback_of_later_days_does_not_add_to_a_share(measured: Any) -> None:
    figures = measured({**HONEST, "flood": (FLOOD, "python")}, days_later=9)
    assert figures["judged"] == 200
    assert figures["over_share"] == FLOOD - 20


def test_without_a_limit_everything_counts(measured: Any) -> None:
    figures = measured({**HONEST, "flood": (FLOOD, "python")}, share=1.0)
    assert (figures["judged"], figures["over_share"]) == (FLOOD + 180, 0)


def test_several_callers_are_limited_alike(measured: Any) -> None:
    figures = measured({**HONEST, "one": (300, "python"), "two": (400, "python")})
    assert figures["precision_at_1"]["numerator"] == 2 * 22  # 22 <= 0.1 * (180 + 2 * 22)
    assert figures["judged"] == 180 + 2 * 22


def test_callers_without_a_pseudonym_are_not_limited(measured: Any) -> None:
    log_of_nobody: Answers = {None: (100, "python")}  # type: ignore[dict-item]
    figures = measured(log_of_nobody)
    assert (figures["judged"], figures["over_share"]) == (100, 0)
