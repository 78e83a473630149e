"""Runs of the monitor that are repeated, stopped or disturbed give the same."""

import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_src.monitor.store import FolderStore
from tests.support.event_folder import (
    DAY,
    NOON,
    Event,
    Store,
    feedback,
    prediction,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


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
