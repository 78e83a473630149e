"""The monitor's figures of a day and of a week."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambda_src import metrics
from lambda_src.monitor.__main__ import main
from lambda_src.monitor.publish import publish, values
from lambda_src.monitor.windows import FigureState
from tests.support.cloudwatch.emf import read_log
from tests.support.event_folder import DAY, NOON, Event, Store, audit, feedback, prediction


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


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


def test_the_command_prints_the_week(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.add(*(prediction(number, {"python": 0.9}) for number in range(200)))
    assert main([str(store.folder), "--day", str(DAY)]) == 0
    output = capsys.readouterr().out
    assert "The week until 2026-11-02, model v1" in output
    assert "not enough data" in output
    assert main([str(store.folder / "nowhere")]) == 1
    assert "is not a folder" in capsys.readouterr().err
