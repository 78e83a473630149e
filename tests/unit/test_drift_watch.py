import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.evidence import WeeklyLimit, add_evidence
from lambda_src.monitor.drift.observations import FIGURES, Feedbacks, Predictions, parts_by_week
from lambda_src.monitor.drift.watch import LIVE_PREDICTIONS, DriftStateError, DriftWatch
from tests.support.drift_streams import Site, baseline


@pytest.fixture(scope="module")
def release() -> Baseline:
    return baseline()


@pytest.fixture(scope="module")
def stream() -> tuple[Predictions, Feedbacks]:
    """Nine weeks with a change of everything in the last one."""
    site = Site(11)
    predictions = [site.predictions(16_800), site.predictions(2_100, lift=0.25, first_tag=7)]
    feedbacks = [site.feedbacks(1_680), site.feedbacks(210, wrong=0.6, new_tag=0.1)]
    return joined(predictions), joined(feedbacks)


def joined(parts: list[Any]) -> Any:
    columns = []
    for name in parts[0].__dataclass_fields__:
        values = [getattr(part, name) for part in parts]
        is_array = isinstance(values[0], np.ndarray)
        columns.append(np.concatenate(values) if is_array else [v for each in values for v in each])
    return type(parts[0])(*columns)


def test_the_state_of_pieces_is_that_of_the_whole(
    release: Baseline, stream: tuple[Predictions, Feedbacks]
) -> None:
    predictions, feedbacks = stream
    whole = DriftWatch(release)
    whole.observe(predictions, feedbacks)
    assert whole.last_day == "2026-03-08"
    in_days: dict[str, Any] | None = None
    for day in np.unique(predictions.days):
        of_day = [
            slice(int(each.days.searchsorted(day)), int(each.days.searchsorted(day, "right")))
            for each in stream
        ]
        watch = DriftWatch(release, in_days)
        watch.observe(predictions[of_day[0]], feedbacks[of_day[1]])
        in_days = json.loads(json.dumps(watch.state()))
    assert in_days == json.loads(json.dumps(whole.state()))
    assert DriftWatch(release, in_days).findings() == whole.findings()
    # Cuts at other places than midnight change nothing either.
    odd = DriftWatch(release)
    for start in range(0, len(predictions), 1_237):
        odd.observe(predictions[start : start + 1_237], feedbacks[0:0])
    for start in range(0, len(feedbacks), 97):
        odd.observe(predictions[0:0], feedbacks[start : start + 97])
    assert odd.state() == whole.state()


def test_nothing_pages_while_nothing_changes_and_every_change_does(
    release: Baseline, stream: tuple[Predictions, Feedbacks]
) -> None:
    predictions, feedbacks = stream
    watch = DriftWatch(release)
    watch.observe(predictions[:16_800], feedbacks[:1_680])
    assert {each.status for each in watch.findings()} == {"ok"}
    watch.observe(predictions[16_800:], feedbacks[1_680:])
    # The tests of whole weeks speak when the next week begins.
    after = Site(12)
    after._n_predictions, after._n_feedbacks = len(predictions), len(feedbacks)
    watch.observe(after.predictions(1), after.feedbacks(1))
    paging = {each.kind for each in watch.findings() if each.pages}
    assert paging == {
        "data_drift",
        "slow_drift",
        "label_shift",
        "concept_drift",
        "model_drift",
        "new_tag",
    }
    written = json.loads(json.dumps([each.to_json() for each in watch.findings()]))
    assert {each["status"] for each in written if each["pages"]} == {"drift"}


def test_without_enough_data_the_watch_says_so(release: Baseline) -> None:
    watch = DriftWatch(release)
    first = watch.findings()
    assert {each.status for each in first if each.compared_with == "live"} == {"not enough data"}
    assert not any(each.pages for each in first)
    site = Site(13)
    watch.observe(site.predictions(LIVE_PREDICTIONS - 1), site.feedbacks(1))
    waiting = [each for each in watch.findings() if each.compared_with == "live"]
    assert {each.status for each in waiting} == {"not enough data"}
    assert "2999 of 3000" in waiting[0].explanation
    watch.observe(site.predictions(1), site.feedbacks(0))
    live = {each.kind: each.status for each in watch.findings() if each.compared_with == "live"}
    assert live == {
        "data_drift": "ok",
        "slow_drift": "not enough data",
        "label_shift": "not enough data",
    }


def test_a_service_that_differs_from_the_corpus_does_not_page(release: Baseline) -> None:
    site, watch = Site(14), DriftWatch(release)
    watch.observe(site.predictions(1_000, lift=0.3), site.feedbacks(0))
    early = [each for each in watch.findings() if each.status == "drift"]
    assert {(each.kind, each.compared_with) for each in early} == {("data_drift", "release")}
    assert not any(each.pages for each in early)
    watch.observe(site.predictions(9_000, lift=0.3), site.feedbacks(0))
    assert not any(each.pages for each in watch.findings())
    differing = [each for each in watch.findings() if each.status == "drift"]
    assert {each.compared_with for each in differing} == {"release"}


def test_a_state_of_another_version_is_refused(release: Baseline) -> None:
    with pytest.raises(DriftStateError, match=r"version 9.*Delete it"):
        DriftWatch(release, {"version": 9})


def test_events_become_observations() -> None:
    event = {
        "timestamp": "2026-02-03T23:59:59.999Z",
        "tags": ["a", "b"],
        "confidences": [0.9, 0.5],
        **{name: place / 10 for place, name in enumerate(FIGURES)},
    }
    predictions = Predictions.from_events([event, {**event, "tags": []}])
    assert predictions.days.astype(str).tolist() == ["2026-02-03"] * 2
    assert predictions.figures[0].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert predictions.tags == [["a", "b"], []]
    feedbacks = Feedbacks.from_events([{**event, "final_tags": ["a", "x"], "unknown_tags": ["x"]}])
    assert feedbacks.final_tags == [["a", "x"]]
    assert feedbacks.unknown_tags == [["x"]]
    bare = Feedbacks.from_events([{"timestamp": event["timestamp"], "final_tags": ["a"]}])
    assert (bare.tags, bare.confidences, bare.unknown_tags) == ([[]], [[]], [[]])
    assert len(Predictions.from_events([])) == len(Feedbacks.from_events([])) == 0


def test_weeks_begin_on_monday() -> None:
    days = np.arange("2026-01-03", "2026-01-14", dtype="datetime64[D]")
    parts = [(str(monday), part) for monday, part in parts_by_week(days)]
    assert parts == [
        ("2025-12-29", slice(0, 2)),
        ("2026-01-05", slice(2, 9)),
        ("2026-01-12", slice(9, 11)),
    ]
    assert list(parts_by_week(days[:0])) == []


def test_the_limit_grows_with_the_traffic_of_a_week() -> None:
    limit, day = WeeklyLimit(10), date(2026, 1, 5)
    assert limit.value == 1_000
    for _ in range(25):
        limit.count(day)
    assert limit.value == 2_500
    limit.count(day + timedelta(days=7))
    assert limit.value == 2_500
    reached = []
    for evidence, later in ((2_499, 0), (2_500, 0), (9_999, 1), (2_000, 2)):
        limit.compare(evidence, day + timedelta(days=later))
        reached.append(limit.since)
        assert WeeklyLimit(10, limit.state()).state() == limit.state()
    assert reached == [None, "2026-01-05", "2026-01-05", None]


def test_evidence_stays_below_its_cap_and_starts_again_from_nothing() -> None:
    evidence = np.zeros(2)
    for _ in range(200):
        add_evidence(evidence, np.array([2.0, 0.0]), 1_000)
    assert evidence.tolist() == [100_000.0, 0.0]


def test_the_watch_knows_neither_aws_nor_files() -> None:
    folder = Path(__file__).parents[2] / "lambda_src/monitor/drift"
    sources = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert not any(name in sources for name in ("boto", "duckdb", "pathlib", "open("))
