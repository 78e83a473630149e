"""Which lines the monitor reads as events, and which it sets aside."""

from datetime import timedelta
from pathlib import Path

import pytest

from lambda_src.tagger import TagModel
from tests.support.event_folder import DAY, NOON, Event, Store, feedback, prediction
from tests.support.events import EventLog
from tests.support.paths import STARTER


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(scope="module")
def log() -> EventLog:
    return EventLog(TagModel.load(STARTER), model_version="v1")


def test_lines_that_the_service_wrote_are_read(store: Store, log: EventLog) -> None:
    first = log.predict(NOON, "How do I merge two dictionaries in Python?")
    log.predict(NOON, "Zzyzx qqxzy?")
    log.predict(NOON, "How do I merge two dictionaries in Python?", max_tags=1, source="batch")
    log.feedback(NOON + timedelta(minutes=1), first, final_tags=["python", "zigzag-9"])
    log.write(store.folder)
    outcome = store.run()
    figures = store.day()
    assert store.file()["set_aside"] == 0
    assert outcome.live_version == "v1"
    assert figures["prediction_rate"]["numerator"] == 1
    assert figures["prediction_rate"]["denominator"] == 2
    assert figures["cut_short"]["predictions"] == 1
    assert figures["cut_short"]["from_batches"] == 1
    assert figures["unknown_tags"] == {"zigzag-9": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"event_type": "predi', "not an event"),
        (b"\xff\xfe\x00", "not an event"),
        (b"[1, 2]", "not an event"),
        (b"null", "not an event"),
        (b"[" * 100_000, "not an event"),
        (b'{"event_type": ["prediction"]}', "unknown type"),
        (b'{"event_type": "failure"}', "unknown type"),
    ],
)
def test_a_line_that_is_no_event_is_set_aside(store: Store, line: bytes, reason: str) -> None:
    store.add(prediction(1, {"python": 0.9}))
    store.add(line, day=DAY)
    store.add(prediction(2, {"python": 0.9}))
    store.run()
    assert store.file()["set_aside_reasons"] == {reason: 1}
    assert store.day()["predictions"] == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event_version": 2}, "unknown version"),
        ({"event_version": None}, "unknown version"),
        ({"timestamp": "yesterday"}, "no time"),
        ({"timestamp": "2026-11-03T00:00:00.000Z"}, "other day"),
        ({"tags": "python"}, "wrong values"),
        ({"tags": None}, "wrong values"),
        ({"tags": [None]}, "wrong values"),
        ({"confidences": [1.5]}, "wrong values"),
        ({"confidences": [0.5, 0.5]}, "wrong values"),
        ({"top_confidence": None}, "wrong values"),
        ({"top_confidence": float("nan")}, "wrong values"),
        ({"expected_jaccard": -1}, "wrong values"),
        ({"words": "many"}, "wrong values"),
        ({"model_version": ""}, "wrong values"),
        ({"model_version": "../v1"}, "wrong values"),
        ({"model_version": "v1\x1b[2J"}, "wrong values"),
        ({"model_version": "v" * 101}, "wrong values"),
        ({"prediction_id": None}, "wrong values"),
    ],
)
def test_an_event_with_wrong_values_is_set_aside(store: Store, change: Event, reason: str) -> None:
    store.add(prediction(1, {"python": 0.9}))
    store.add(prediction(2, {"python": 0.9}) | change, day=DAY)
    store.run()
    assert store.file()["set_aside_reasons"] == {reason: 1}
    assert store.day()["predictions"] == 1


def test_doubles_count_once(store: Store) -> None:
    events = [prediction(1, {"python": 0.9}), feedback(1, ["python"])]
    store.add(*events, *events)
    store.add(*events, name="b")
    store.run()
    assert store.file()["doubles"] == 4
    assert store.day()["predictions"] == store.day()["judged"] == 1


def test_files_that_are_no_event_files_are_ignored(store: Store) -> None:
    store.add(prediction(1, {"python": 0.9}))
    day = store.folder / "events" / f"date={DAY}"
    (day / "_SUCCESS").write_bytes(b"")
    (day / "b.jsonl").write_bytes(b"")
    (store.folder / "events" / "date=yesterday").mkdir()
    (store.folder / "events" / "date=yesterday" / "a.jsonl").write_bytes(b"{}")
    store.run()
    assert store.day()["predictions"] == 1
