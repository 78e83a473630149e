"""A small version of `scripts/bench drift`, on synthetic answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambda_src.monitor.drift.baseline import Baseline
from scripts.benchmarks.drift_plots import draw_plots
from scripts.benchmarks.drift_pool import Pool, time_ordered
from scripts.benchmarks.drift_report import headline, report
from scripts.benchmarks.drift_simulation import (
    ConceptServices,
    SuddenServices,
    by_week,
    delays,
    draw,
    draw_weighted,
    permuted,
    redraw_baselines,
    upper_bound,
    weekly_evidence,
)
from scripts.benchmarks.drift_traffic import Traffic
from tests.support.drift_streams import FIRST_DAY, TAGS, Site, baseline

N_QUESTIONS = 1_500


@pytest.fixture(scope="module")
def release() -> Baseline:
    return baseline()


def traffic_of(site: str, seed: int, *, lift: float = 0.0, first_tag: int = 0) -> Traffic:
    source = Site(seed)
    predictions = source.predictions(N_QUESTIONS, lift=lift, first_tag=first_tag)
    feedbacks = source.feedbacks(N_QUESTIONS)
    # The site's feedback has tags of its own, so that predictions and hits belong together.
    return Traffic(
        np.full(N_QUESTIONS, site),
        FIRST_DAY + np.arange(N_QUESTIONS),
        predictions.figures,
        [list(tags) for tags in feedbacks.tags],
        [list(each) for each in feedbacks.confidences],
        [list(tags) for tags in feedbacks.final_tags],
        [list(tags) for tags in feedbacks.unknown_tags],
    )


@pytest.fixture(scope="module")
def home() -> Traffic:
    return traffic_of("home", 1)


@pytest.fixture(scope="module")
def results(release: Baseline, home: Traffic) -> dict[str, Any]:
    other = traffic_of("other", 2, lift=0.3)
    pool = Pool("home", release, home, 6, 2, np.random.default_rng(0))
    return pool.measure({"other": other})


def test_quiet_weeks_raise_no_alarm_and_every_change_is_found(results: dict[str, Any]) -> None:
    false_alarms = results["false_alarms"]
    assert (false_alarms["weeks"], false_alarms["weeks_with_alarm"]) == (12, 0)
    assert false_alarms["upper95"] == pytest.approx(1 - 0.05 ** (1 / 12))
    assert results["sudden"]["other"]["found"] == 1
    assert results["sudden"]["other"]["p90"] <= 150
    # A change of the questions alone is no loss of quality.
    assert results["sudden"]["other"]["concept_alarms"] == 0
    assert results["permuted"]["found"] == 1
    assert results["permuted"]["touched"] >= 0.35
    assert results["new_tag"]["found"] == 1


def test_tables_and_main_figures_come_from_the_results(
    results: dict[str, Any], release: Baseline, home: Traffic, tmp_path: Path
) -> None:
    figures = {
        "questions": N_QUESTIONS,
        "sites": ["home", "other"],
        "pools": {"home": {**results, "year": results["false_alarms"]}},
        "time": {
            "site": "home",
            "oldest": [500, "2017-01-01", "2018-01-01"],
            "newest": [300, "2020-01-01", "2020-09-01"],
            "power": 0.93,
            "ordered": time_ordered(release, home),
        },
        "peers": [
            {
                "name": "A",
                "figure": "all",
                "weeks": 9,
                "false_weeks": 3,
                "delays": {"other": [4, 8, None]},
            },
            {
                "name": "B",
                "figure": "all",
                "weeks": 9,
                "false_weeks": 1,
                "changed_weeks": 9,
                "found_weeks": 7,
            },
        ],
    }
    main = headline(figures)
    assert main["weekly_false_alarm_rate"] == 0
    assert main["delay_sudden_predictions"] == results["sudden"]["other"]["p90"]
    assert main["power_time_shift"] == 0.93
    text = report(figures)
    assert "home -> other" in text
    assert "other 8" in text
    assert "other in 7 of 9 weeks" in text
    json.dumps({**main, **figures})
    for folder in ("first", "again"):
        draw_plots(figures, tmp_path / folder)
    plots = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert plots == ["drift-feedback.svg", "drift-sudden.svg"]
    for name in plots:
        first = (tmp_path / "first" / name).read_bytes()
        assert first == (tmp_path / "again" / name).read_bytes()
        assert b"home" in first


def test_a_change_that_is_not_found_shows_in_the_main_figures(results: dict[str, Any]) -> None:
    silent = {**results["permuted"], "p90": None}
    pool = {**results, "permuted": silent, "year": results["false_alarms"]}
    main = headline({"sites": ["home"], "pools": {"home": pool}, "time": {}})
    assert main["delay_concept_feedbacks"] is None
    assert main["power_time_shift"] is None


def test_a_week_with_more_of_some_tags_is_noticed(release: Baseline, home: Traffic) -> None:
    random = np.random.default_rng(6)
    more = set(TAGS[6:16])
    weights = np.array([1.0 if more.isdisjoint(tags) else 3.0 for tags in home.final_tags])
    baselines = redraw_baselines(release, home, 5, random)
    shifted = draw_weighted(random, weights, 5, 2, 2_000)
    assert weekly_evidence(baselines, home, shifted).alarms.all()
    equal = draw_weighted(random, np.ones(N_QUESTIONS), 5, 2, 2_000)
    assert not weekly_evidence(baselines, home, equal).alarms.any()


def test_an_alarm_before_the_change_finds_nothing() -> None:
    evidence = np.array([[0.2, 1.0, 3.0], [1.0, 2.0, 3.0], [0.1, 0.2, 0.3]])
    assert delays(evidence, np.array([0.5, 1.5, 0.0])).tolist() == [2.0, np.inf, np.inf]
    assert by_week(np.array([[0.0, 1.0, 0.0, 0.9]]), 2).tolist() == [[True, False]]


def test_the_services_of_a_simulation_are_those_of_the_monitor(
    release: Baseline, home: Traffic
) -> None:
    """Many services at once give the same evidence as one after the other."""
    random = np.random.default_rng(3)
    baselines = redraw_baselines(release, home, 3, random)
    drawn = draw(random, N_QUESTIONS, 3, 200)
    together = SuddenServices(baselines).observe(home, drawn)
    for service in range(3):
        alone = SuddenServices([baselines[service]]).observe(home, drawn[service : service + 1])
        assert alone[0] == pytest.approx(together[service], rel=1e-12)
    e_values = home.e_values()
    feedback = ConceptServices(3).observe(e_values, drawn)
    assert ConceptServices(1).observe(e_values, drawn[1:2])[0].tolist() == feedback[1].tolist()


def test_repeated_draws_of_different_questions_look_like_drift(release: Baseline) -> None:
    """Baseline and weeks must be drawn from the same questions.

    Otherwise the few questions of each, repeated many times, pass for many questions.
    """
    few = traffic_of("home", 4).part(np.arange(400))
    first, second = few.part(np.arange(200)), few.part(np.arange(200, 400))
    random = np.random.default_rng(5)
    drawn = draw(random, 200, 5, 4, 2_000)
    same = weekly_evidence(redraw_baselines(release, second, 5, random), second, drawn)
    different = weekly_evidence(redraw_baselines(release, first, 5, random), second, drawn)
    assert same.alarms.mean() == 0
    assert different.alarms.mean() > 0.5


def test_the_upper_bound_of_a_rate() -> None:
    assert upper_bound(4, 1_000) == pytest.approx(0.0091, abs=1e-4)
    assert upper_bound(5, 1_000) == pytest.approx(0.0105, abs=1e-4)
    assert upper_bound(3, 3) == 1.0


def test_permuted_tags_keep_the_others() -> None:
    assert permuted([["a", "x"], ["c"]], ["a", "b", "c"]) == [["b", "x"], ["a"]]
