from dataclasses import replace

import numpy as np
import pytest

from lambda_src.monitor.drift import concept
from lambda_src.monitor.drift.concept import ConceptWatch, e_values
from lambda_src.monitor.drift.evidence import add_evidence
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.drift.model_drift import ModelDriftWatch, jaccard, p_value
from lambda_src.monitor.drift.new_tags import MAX_TAGS, NewTags, NewTagWatch
from tests.support.drift_streams import Site, baseline


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def alarms(n_runs: int, calibration: float, tolerance: float) -> int:
    """Count the runs of 25 weeks of 200 feedbacks in which the evidence reaches its limit."""
    n_alarms = 0
    for seed in range(n_runs):
        feedbacks = Site(seed, calibration=calibration).feedbacks(5_000)
        evidence, largest = np.zeros(concept.N_BETS), 0.0
        for of_one in concept.feedback_e_values(feedbacks, tolerance):
            add_evidence(evidence, of_one, 20_000)
            largest = max(largest, evidence.mean())
        n_alarms += largest >= 20_000
    return n_alarms


def test_the_expectation_of_an_e_value_is_at_most_one() -> None:
    for confidence in (0.05, 0.3, 0.6, 0.9, 0.999, 1.0):
        odds = min(confidence, 0.9999) / (1 - min(confidence, 0.9999)) / concept.TOLERANCE
        for true_odds, expected in ((odds, 1.0), (2 * odds, None)):
            share = true_odds / (1 + true_odds)
            mean = share * e_values([confidence], [True]) + (1 - share) * e_values(
                [confidence], [False]
            )
            assert (mean <= 1 + 1e-9).all()
            if expected:
                assert mean == pytest.approx(1)
    assert e_values([], []).tolist() == [1.0] * concept.N_BETS
    assert np.isfinite(e_values([0.0, 1.0], [True, False])).all()


def test_a_small_error_of_the_calibration_raises_alarms_without_a_tolerance() -> None:
    # At one alarm in a hundred weeks, there may be one.
    assert alarms(4, calibration=0.88, tolerance=concept.TOLERANCE) <= 1
    assert alarms(4, calibration=0.88, tolerance=1.0) == 4


def test_concept_drift_is_found_and_shows_promised_and_real_hits() -> None:
    site, watch = Site(1), ConceptWatch()
    watch.observe(site.feedbacks(100))
    assert only(watch.findings()).status == "not enough data"
    watch.observe(site.feedbacks(400))
    assert only(watch.findings()).status == "ok"
    watch.observe(site.feedbacks(200, wrong=0.5))
    found = only(watch.findings())
    assert (found.kind, found.status, found.pages) == ("concept_drift", "drift", True)
    assert found.before is not None
    assert found.after is not None
    assert found.after < found.before - 0.1
    assert found.since is not None
    assert found.since >= "2026-01-21"


def test_good_weeks_of_the_past_do_not_hide_a_fall() -> None:
    site, watch = Site(2), ConceptWatch()
    watch.observe(site.feedbacks(10_000))
    watch.observe(site.feedbacks(200, wrong=0.5))
    assert only(watch.findings()).status == "drift"


def test_feedback_about_quiet_answers_is_no_evidence_of_wrong_tags() -> None:
    site, watch = Site(3), ConceptWatch()
    feedbacks = site.feedbacks(600)
    quiet: list[list[str]] = [[] for _ in range(600)]
    nothing: list[list[float]] = [[] for _ in range(600)]
    watch.observe(replace(feedbacks, tags=quiet, confidences=nothing))
    found = only(watch.findings())
    assert (found.status, found.before, found.after) == ("ok", None, None)


def test_a_new_tag_is_found_and_named() -> None:
    site, watch = Site(4), NewTagWatch(baseline())
    watch.observe(site.feedbacks(150))
    assert only(watch.findings()).status == "not enough data"
    watch.observe(site.feedbacks(3_000))
    assert only(watch.findings()).status == "ok"
    watch.observe(site.feedbacks(300, new_tag=0.05))
    found = only(watch.findings())
    assert (found.kind, found.figure, found.status) == ("new_tag", "brand-new", "drift")
    assert found.before is not None
    assert found.after is not None
    assert found.before < 0.002 < found.after
    assert "'brand-new'" in found.explanation


def test_tags_that_were_rare_in_the_corpus_may_stay_as_rare() -> None:
    known = baseline()
    tags = NewTags(known)
    assert 0 < tags.bound("never-seen") < tags.bound("seldom") < 0.005 < tags.bound("rare-0") < 1
    watch = NewTagWatch(known)
    watch.observe(Site(5).feedbacks(10_000))
    assert only(watch.findings()).status == "ok"


def test_the_first_use_of_a_tag_is_no_evidence() -> None:
    tags = NewTags(baseline())
    tags.observe(["brand-new", "brand-new"], 20_000)
    assert tags.evidence.sum() == 0
    tags.observe(["brand-new"], 20_000)
    assert tags.evidence.sum() > 0


def test_so_many_tags_are_followed_and_one_without_recent_use_is_forgotten() -> None:
    tags = NewTags(baseline())
    tags.observe(["old"], 20_000)
    tags.observe(["old"], 20_000)
    for number in range(MAX_TAGS + 50):
        tags.observe([f"new-{number}"], 20_000)
    assert len(tags.tags) == MAX_TAGS
    assert "new-0" not in tags.tags
    # A tag that has just appeared has no evidence yet, and must be able to collect some.
    assert f"new-{MAX_TAGS + 49}" in tags.tags
    tags.observe([f"new-{MAX_TAGS + 49}"], 20_000)
    assert tags.evidence[tags.tags.index(f"new-{MAX_TAGS + 49}")].sum() > 0


def test_model_drift_waits_for_a_whole_week_with_enough_feedback() -> None:
    site, watch = Site(6), ModelDriftWatch(0.3)
    watch.observe(site.feedbacks(150))
    assert only(watch.findings()).status == "not enough data"
    watch.observe(site.feedbacks(300))
    found = only(watch.findings())
    assert found.status == "ok"
    assert found.after == pytest.approx(0.3, abs=0.08)
    watch.observe(site.feedbacks(800, wrong=0.7))
    found = only(watch.findings())
    assert (found.kind, found.status) == ("model_drift", "drift")
    assert found.since is not None


def test_model_drift_tolerates_a_little() -> None:
    random = np.random.default_rng(0)
    values = random.choice([0.0, 0.25, 0.5, 1.0], 400)
    moments = (400, float(values.sum()), float((values**2).sum()))
    mean = float(values.mean())
    assert p_value(*moments, mean) > 0.9
    assert p_value(*moments, mean + 0.05) == pytest.approx(0.5)
    assert p_value(*moments, mean + 0.15) < 0.001
    assert p_value(300, 300.0, 300.0, 0.5) == 1.0


def test_jaccard_of_tags() -> None:
    assert jaccard(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
    assert jaccard([], []) == 0
