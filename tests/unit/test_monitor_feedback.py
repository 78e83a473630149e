"""Which feedback counts for a prediction, and on which day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.event_folder import DAY, NOON, Store, feedback, prediction


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


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
