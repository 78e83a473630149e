"""The monitor on event lines: what counts, for which day, and that it always counts the same."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_src import metrics
from lambda_src.monitor.__main__ import main
from lambda_src.monitor.publish import publish, values
from lambda_src.monitor.run import Outcome, run
from lambda_src.monitor.store import FolderStore
from lambda_src.monitor.windows import FigureState
from lambda_src.tagger import TagModel
from tests.support.cloudwatch.emf import read_log
from tests.support.events import EventLog
from tests.support.paths import STARTER

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Event = dict[str, Any]


def identifier(number: int) -> str:
    return str(UUID(int=number))


def prediction(number: int, tags: Mapping[str, float], at: datetime = NOON, **other: Any) -> Event:
    return {
        "event_version": 1,
        "event_type": "prediction",
        "timestamp": at.isoformat(timespec="milliseconds"),
        "prediction_id": identifier(number),
        "model_version": "v1",
        "tags": list(tags),
        "confidences": list(tags.values()),
        "top_confidence": max(tags.values(), default=0.1),
        "expected_jaccard": 0.5,
        "known_share": 0.9,
        "quiet_reason": None if tags else "not_sure",
        "terms": [3, 5],
        "words": 12,
        "code_share": 0.0,
        "max_tags": None,
        "min_confidence": None,
        "excluded": None,
        "source": "single",
        "latency_ms": 0.5,
        **other,
    }


def feedback(number: int, final_tags: Sequence[str], at: datetime = NOON, **other: Any) -> Event:
    return {
        "event_version": 1,
        "event_type": "feedback",
        "timestamp": at.isoformat(timespec="milliseconds"),
        "prediction_id": identifier(number),
        "accepted": None,
        "final_tags": list(final_tags),
        "unknown_tags": [],
        "authenticated": False,
        **other,
    }


def audit(number: int, tags: Mapping[str, float], final_tags: Sequence[str]) -> Event:
    kept = ("tags", "confidences", "top_confidence", "expected_jaccard", "known_share")
    answer = prediction(number, tags)
    return {
        "event_version": 1,
        "event_type": "audit",
        "timestamp": answer["timestamp"],
        "question_id": number,
        "site": "stackoverflow",
        "creation_date": "2026-10-30",
        "final_tags": list(final_tags),
        "model_version": "v1",
        **{name: answer[name] for name in (*kept, "words", "code_share")},
    }


class Store:
    """A folder of events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(folder)

    def add(self, *events: Event | bytes, day: date | None = None, name: str = "a") -> None:
        """Append events to the files of their days, and lines to the file of the given day."""
        for event in events:
            line = event if isinstance(event, bytes) else json.dumps(event).encode()
            kind = "events"
            if isinstance(event, dict):
                kind = "audits" if event["event_type"] == "audit" else "events"
            when = str(day) if day else str(json.loads(line)["timestamp"])[:10]
            path = self.folder / kind / f"date={when}" / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(line + b"\n")

    def run(self, today: date = DAY) -> Outcome:
        return run(self.store, today, memory_mb=256, threads=2)

    def day(self, day: date = DAY, version: str = "v1") -> dict[str, Any]:
        """The figures of a model version in a day file."""
        return dict(self.file(day)["models"][version])

    def file(self, day: date = DAY) -> dict[str, Any]:
        return dict(json.loads(self.store.read(f"days/{day}.json") or b""))

    def written(self) -> dict[str, bytes]:
        """What the last run leaves for others, byte for byte."""
        keys = [*self.store.list("days/"), *self.store.list("reports/latest")]
        return {key: self.store.read(key) or b"" for key in keys}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(scope="module")
def log() -> EventLog:
    return EventLog(TagModel.load(STARTER), model_version="v1")


def test_figures_of_a_day_by_hand(store: Store) -> None:
    store.add(
        prediction(1, {"python": 0.9, "pandas": 0.6}),
        prediction(2, {"java": 0.7}),
        prediction(3, {}),
        prediction(4, {"c#": 0.4}),
        feedback(1, ["python", "numpy"], accepted=["python"]),
        feedback(2, ["java"]),
        feedback(3, ["zig"], unknown_tags=["zig"]),
    )
    store.run()
    figures = store.day()
    assert {name: figures[name] for name in ("predictions", "feedbacks", "judged")} == {
        "predictions": 4,
        "feedbacks": 3,
        "judged": 3,
    }
    expected = {
        "prediction_rate": (3, 4),
        "feedback_rate": (3, 4),
        "acceptance_rate": (1, 2),
        "sample_jaccard": (1.333333, 3),  # 1/3, 1 and 0
        "sample_f1": (1.5, 3),  # 1/2, 1 and 0
        "micro_jaccard": (2, 5),
        "micro_f1": (4, 7),
        "precision_at_1": (2, 2),
        "expected_jaccard": (1.5, 4),
        "expected_jaccard_of_judged": (1.0, 3),
        "hits_of_expected": (2, 2.2),
        "unknown_tag_share": (1, 4),
    }
    for name, (numerator, denominator) in expected.items():
        value = figures[name]
        assert (value["numerator"], value["denominator"]) == (numerator, denominator), name
        assert value["value"] == pytest.approx(numerator / denominator, abs=1e-6), name
    assert figures["unknown_tags"] == {"zig": 1}
    assert figures["quiet_reasons"] == {"not_sure": 1}
    assert figures["tags"]["python"] == {"suggested": 1, "chosen": 1, "both": 1}
    assert figures["tags"]["pandas"] == {"suggested": 1, "chosen": 0, "both": 0}
    assert figures["distributions"]["tags"] == [1, 2, 1, 0, 0, 0]
    bins = {place: each for place, each in enumerate(figures["calibration"]) if each["suggested"]}
    assert bins == {
        6: {"suggested": 1, "chosen": 0, "confidence": 0.6},
        7: {"suggested": 1, "chosen": 1, "confidence": 0.7},
        9: {"suggested": 1, "chosen": 1, "confidence": 0.9},
    }


def test_a_confidence_of_one_is_in_the_last_bin(store: Store) -> None:
    store.add(prediction(1, {"python": 1.0}), feedback(1, ["python"]))
    store.run()
    assert store.day()["calibration"][9]["suggested"] == 1
    assert store.day()["distributions"]["top_confidence"][9] == 1


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


def test_the_newest_feedback_of_a_prediction_counts(store: Store) -> None:
    later = NOON + timedelta(days=3)
    store.add(
        prediction(1, {"python": 0.9}),
        feedback(1, ["python"], at=later),
        feedback(1, ["java"], at=NOON),
    )
    store.run(later.date())
    assert store.day()["sample_jaccard"]["value"] == 1


def test_feedback_that_only_accepts_replaces_final_tags_and_is_not_judged(store: Store) -> None:
    store.add(
        prediction(1, {"python": 0.9}),
        feedback(1, ["java"]),
        feedback(1, [], at=NOON + timedelta(hours=1)) | {"final_tags": None, "accepted": []},
    )
    store.run()
    assert store.day()["feedbacks"] == 1
    assert store.day()["judged"] == 0
    assert store.day()["sample_jaccard"]["value"] is None
    assert store.day()["acceptance_rate"]["value"] == 0


def test_feedback_without_a_prediction_is_dropped_and_counted_on_its_day(store: Store) -> None:
    store.add(prediction(1, {"python": 0.9}), feedback(7, ["python"]), feedback(1, ["python"]))
    store.run()
    assert store.file()["feedback"] == {"received": 2, "without_prediction": 1}
    assert store.day()["feedbacks"] == 1


@pytest.mark.parametrize(("days_late", "judged"), [(0, 1), (30, 1), (31, 0)])
def test_late_feedback_counts_for_thirty_days(store: Store, days_late: int, judged: int) -> None:
    store.add(prediction(1, {"python": 0.9}))
    store.run()
    late = NOON + timedelta(days=days_late)
    store.add(feedback(1, ["python"], at=late))
    store.run(late.date())
    assert store.day()["judged"] == judged


def test_feedback_of_the_evening_before_counts_because_clocks_differ(store: Store) -> None:
    midnight = datetime(2026, 11, 2, tzinfo=UTC)
    store.add(
        prediction(1, {"python": 0.9}, at=midnight),
        feedback(1, ["python"], at=midnight - timedelta(milliseconds=5)),
    )
    store.run()
    assert store.day()["judged"] == 1
    assert store.file(DAY - timedelta(days=1))["feedback"] == {
        "received": 1,
        "without_prediction": 0,
    }


@pytest.mark.parametrize(
    ("options", "cut_short"),
    [
        ({"max_tags": 1}, True),
        ({"max_tags": 5}, False),
        ({"min_confidence": 0.3}, True),
        ({"min_confidence": 0}, False),
        ({"excluded": 2}, True),
        ({"excluded": 0}, False),
    ],
)
def test_answers_that_options_cut_short_are_set_apart(
    store: Store, options: Event, *, cut_short: bool
) -> None:
    store.add(prediction(1, {"python": 0.9}, **options), feedback(1, ["python"]))
    store.run()
    assert store.day()["predictions"] == int(not cut_short)
    assert ("cut_short" in store.day()) == cut_short
    if cut_short:
        assert store.day()["cut_short"]["judged"] == 1


def test_a_client_that_asks_for_one_tag_does_not_lower_the_figures(store: Store) -> None:
    for number in range(120):
        store.add(prediction(number, {"python": 0.9}), feedback(number, ["python"]))
        other = prediction(1000 + number, {"python": 0.9}, max_tags=1)
        store.add(other, feedback(1000 + number, ["python", "pandas", "numpy"]))
    assert store.run().figures["sample_jaccard"].value == 1


def test_model_versions_are_kept_apart(store: Store) -> None:
    store.add(
        prediction(1, {"python": 0.9}),
        prediction(2, {"python": 0.9}, model_version="v2"),
        feedback(1, ["python"]),
        feedback(2, ["java"]),
    )
    store.run()
    assert store.day(version="v1")["sample_jaccard"]["value"] == 1
    assert store.day(version="v2")["sample_jaccard"]["value"] == 0


def test_during_a_canary_the_old_version_is_the_live_one(store: Store) -> None:
    for number in range(200):
        version = "v2" if number % 10 == 0 else "v1"
        at = NOON + timedelta(seconds=number)
        store.add(prediction(number, {"python": 0.9}, at=at, model_version=version))
    assert store.run().live_version == "v1"
    for number in range(200, 300):
        at = NOON + timedelta(seconds=number)
        store.add(prediction(number, {"python": 0.9}, at=at, model_version="v2"))
    assert store.run().live_version == "v2"


def test_audits_are_figures_of_their_own(store: Store) -> None:
    store.add(audit(1, {"python": 0.9}, ["python"]), audit(2, {"java": 0.5}, ["python"]))
    store.add(audit(2, {"java": 0.5}, ["python"]))
    store.run()
    figures = store.file()["audits"]["v1"]
    assert figures["questions"] == 2
    assert figures["sample_jaccard"]["value"] == 0.5
    assert store.file()["models"] == {}


def test_the_questions_of_three_days_of_audits_are_counted(store: Store) -> None:
    store.add(audit(1, {"python": 0.9}, ["python"]), audit(2, {"java": 0.5}, ["python"]))
    later = audit(3, {"java": 0.5}, ["java"]) | {"model_version": "v2"}
    store.add(later | {"timestamp": (NOON + timedelta(days=1)).isoformat(timespec="milliseconds")})
    found = [
        values(store.run(DAY + timedelta(days=days)))[metrics.AUDITED_QUESTIONS]
        for days in range(5)
    ]
    assert found == [2, 3, 3, 1, 0]


def test_little_data_is_a_state_and_has_no_metric(store: Store) -> None:
    for number in range(99):
        store.add(prediction(number, {"python": 0.9}), feedback(number, ["python"]))
    outcome = store.run()
    figure = outcome.figures["sample_jaccard"]
    assert figure.state is FigureState.NOT_ENOUGH_DATA
    assert (figure.value, figure.cases, figure.needed) == (None, 99, 100)
    assert metrics.WINDOW_METRICS["sample_jaccard"] not in values(outcome)
    store.add(prediction(99, {"python": 0.9}), feedback(99, ["java"]))
    outcome = store.run()
    assert outcome.figures["sample_jaccard"].state is FigureState.MEASURED
    assert values(outcome)[metrics.WINDOW_METRICS["sample_jaccard"]] == 0.99


def test_a_window_has_seven_days(store: Store) -> None:
    for days in range(10):
        at = NOON + timedelta(days=days)
        for number in range(100):
            tags = {"python": 0.9} if days >= 3 else {}
            store.add(prediction(100 * days + number, tags, at=at))
    last = DAY + timedelta(days=9)
    assert store.run(last).figures["prediction_rate"].value == 1
    assert store.run(last).figures["prediction_rate"].cases == 700
    assert store.run(DAY + timedelta(days=3)).figures["prediction_rate"].value == 0.25


def test_the_gap_tells_harder_questions_from_a_worse_model(store: Store) -> None:
    for number in range(100):
        store.add(
            prediction(number, {"python": 0.2}, expected_jaccard=0.2),
            feedback(number, ["python"] if number % 5 == 0 else ["java"]),
        )
    figures = store.run().figures
    assert figures["sample_jaccard"].value == 0.2
    assert figures["chosen_gap"].value == 0
    assert figures["calibration_error"].value == pytest.approx(0, abs=1e-6)


def test_metrics_are_stamped_now_and_readable(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.add(*(prediction(number, {"python": 0.9}) for number in range(200)), b"{", day=DAY)
    before = datetime.now(UTC).timestamp() - 1
    publish(store.run(), "here")
    samples = read_log(capsys.readouterr().out.encode())
    found = {each.metric.name: each.value for each in samples}
    assert found["MonitorRuns"] == 1
    assert found["EventsSetAside"] == 1
    assert found["WeeklyPredictionRate"] == 1
    assert "WeeklyJaccard" not in found
    assert all(each.time >= before for each in samples)
    assert {each.metric.dimensions for each in samples} == {frozenset({("service", "here")})}


def test_an_empty_store_is_no_error(store: Store) -> None:
    outcome = store.run()
    assert outcome.live_version is None
    assert values(outcome)[metrics.MONITOR_RUNS] == 1
    assert store.written() == {}


def test_files_that_are_no_event_files_are_ignored(store: Store) -> None:
    store.add(prediction(1, {"python": 0.9}))
    day = store.folder / "events" / f"date={DAY}"
    (day / "_SUCCESS").write_bytes(b"")
    (day / "b.jsonl").write_bytes(b"")
    (store.folder / "events" / "date=yesterday").mkdir()
    (store.folder / "events" / "date=yesterday" / "a.jsonl").write_bytes(b"{}")
    store.run()
    assert store.day()["predictions"] == 1


def some_days() -> list[Event]:
    """Events of five days, some of them twice, with late and repeated feedback."""
    chance = random.Random(5)  # noqa: S311 (events of a test)
    tags = ["python", "java", "c#", "r"]
    events = []
    for number in range(80):
        at = NOON + timedelta(hours=chance.randrange(3 * 24))
        chosen = {
            tag: round(chance.random(), 4) for tag in chance.sample(tags, chance.randint(0, 3))
        }
        events.append(prediction(number, chosen, at=at, expected_jaccard=round(chance.random(), 4)))
        for _ in range(chance.choice([0, 0, 1, 2])):
            late = at + timedelta(hours=chance.randrange(40))
            events.append(feedback(number, chance.sample([*tags, "zig"], 2), at=late))
    return events + events[::7]


LAST = DAY + timedelta(days=5)


def test_running_twice_gives_the_same_bytes(store: Store) -> None:
    store.add(*some_days())
    store.run(LAST)
    first = store.written()
    assert len(first) >= 4
    store.run(LAST)
    assert store.written() == first


def test_hourly_runs_give_the_same_bytes_as_one_run_at_the_end(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    together = Store(tmp_path_factory.mktemp("together"))
    events = sorted(some_days(), key=lambda event: event["timestamp"])
    for number, event in enumerate(events):
        store.add(event, name=str(number % 3))
        if number % 25 == 0:
            store.run(date.fromisoformat(event["timestamp"][:10]))
    together.add(*events)
    store.run(LAST)
    together.run(LAST)
    assert store.written() == together.written()


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.randoms(use_true_random=False), parts=st.integers(1, 4))
def test_the_order_of_lines_and_doubles_change_nothing(
    order: random.Random, parts: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    events = some_days()
    straight, shuffled = (Store(tmp_path_factory.mktemp("store")) for _ in range(2))
    straight.add(*events)
    mixed = events + order.sample(events, 20)
    order.shuffle(mixed)
    for number, event in enumerate(mixed):
        shuffled.add(event, name=str(number % parts))
    straight.run(LAST)
    shuffled.run(LAST)

    def without_doubles(store: Store) -> dict[str, Any]:
        return {
            key: {name: value for name, value in json.loads(data).items() if name != "doubles"}
            for key, data in store.written().items()
            if key.startswith("days/")
        }

    assert without_doubles(straight) == without_doubles(shuffled)


def test_a_run_that_was_stopped_is_completed_by_the_next(
    store: Store, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Store(tmp_path_factory.mktemp("whole"))
    for each in (store, whole):
        each.add(*some_days())
    write: Callable[[FolderStore, str, bytes], None] = FolderStore.write
    left = 4

    def stop_after_some(self: FolderStore, key: str, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        write(self, key, data)

    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "write", stop_after_some)
        with pytest.raises(KeyboardInterrupt):
            store.run(LAST)
    store.run(LAST)
    whole.run(LAST)
    assert store.written() == whole.written()


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_a_damaged_or_outdated_cache_is_made_again(store: Store, damage: bytes | None) -> None:
    store.add(prediction(1, {"python": 0.9}))
    store.run()
    if damage is None:
        store.add(prediction(2, {"python": 0.9}))
    else:
        store.store.write(f"compact/events/{DAY}.parquet", damage)
    store.run()
    assert store.day()["predictions"] == (2 if damage is None else 1)


@pytest.mark.parametrize("damage", [b"", b'{"version": 1, "da', b"[]", b"\xff", b'{"version": 1}'])
def test_a_damaged_day_file_is_written_again(store: Store, damage: bytes) -> None:
    store.add(*some_days())
    store.run(LAST)
    before = store.written()
    store.store.write(f"days/{DAY}.json", damage)
    store.run(LAST)
    assert store.written() == before


def test_a_damaged_day_file_without_events_is_named_and_costs_only_its_day(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(*some_days())
    store.run(LAST)
    before = store.written()
    later = LAST + timedelta(days=60)
    old = "days/2026-08-01.json"
    store.store.write(old, b'{"version": 1, "da')
    store.run(later)
    assert f"{old} is no day file" in caplog.text
    after = store.written()
    assert {key: after[key] for key in before if key in after and "days/" in key} == {
        key: data for key, data in before.items() if "days/" in key
    }
    assert after[old] == b'{"version": 1, "da'


def test_a_run_for_an_earlier_day_loses_no_late_feedback(store: Store) -> None:
    store.add(prediction(1, {"python": 0.9}), feedback(1, ["python"], at=NOON + timedelta(days=9)))
    store.run(DAY + timedelta(days=9))
    assert store.day()["judged"] == 1
    store.run(DAY + timedelta(days=1))
    assert store.day()["judged"] == 1


def test_day_files_of_another_version_are_written_again(store: Store) -> None:
    store.add(prediction(1, {"python": 0.9}))
    store.store.write(f"days/{DAY}.json", json.dumps({"version": 0, "day": str(DAY)}).encode())
    store.run(DAY + timedelta(days=60))
    assert store.day()["predictions"] == 1


def test_the_command_prints_the_week(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.add(*(prediction(number, {"python": 0.9}) for number in range(200)))
    assert main([str(store.folder), "--day", str(DAY)]) == 0
    output = capsys.readouterr().out
    assert "The week until 2026-11-02, model v1" in output
    assert "not enough data" in output
    assert main([str(store.folder / "nowhere")]) == 1
    assert "is not a folder" in capsys.readouterr().err
