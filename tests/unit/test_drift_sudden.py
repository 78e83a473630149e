import numpy as np
import pytest
from scipy.stats import binom

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.drift.observations import FIGURES, Predictions
from lambda_src.monitor.drift.rare_tags import RareTags
from lambda_src.monitor.drift.sudden import (
    STREAMS,
    TOLERANCE,
    Reference,
    SuddenDetector,
    SuddenWatch,
    join_bins,
    share_bounds,
)
from tests.support.drift_streams import Site, baseline

LIMIT = 200_000.0


def drifting(watch: SuddenWatch) -> dict[str, Finding]:
    return {each.figure: each for each in watch.findings() if each.status == "drift"}


def largest_evidence(reference: Reference, bounds: np.ndarray, predictions: Predictions) -> float:
    detector = SuddenDetector(reference.shares, bounds, len(STREAMS))
    largest = 0.0
    for bins in reference.bins(predictions):
        detector.observe(bins, LIMIT)
        largest = max(largest, detector.evidence.mean())
    return largest


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    counts = np.array([0, 3, 40, 957])
    bounds = share_bounds(counts)
    for count, bound in zip(counts[:3].tolist(), bounds[:3].tolist(), strict=True):
        # At the bound, a count that is so small or smaller has the probability 0.001.
        assert binom.cdf(count, 1000, bound / TOLERANCE) == pytest.approx(0.001, rel=1e-6)
    assert bounds[3] == 1.0


def test_a_bin_that_holds_everything_does_not_silence_the_detector() -> None:
    assert share_bounds(np.array([500])).tolist() == [1.0]
    assert share_bounds(np.array([0, 500])).tolist()[1] == 1.0
    figures = Site(1).predictions(3_000).figures
    figures[:, FIGURES.index("known_share")] = 1.0
    quiet = Site(1).predictions(3_000)
    same = Baseline.of(
        Predictions(quiet.days, figures, quiet.tags),
        n_questions=3_000,
        rare_tags=RareTags.of({}),
        sample_jaccard=0.5,
    )
    changed = Site(2).predictions(600, lift=0.3)
    changed.figures[:, FIGURES.index("known_share")] = 1.0
    watch = SuddenWatch(same, "live")
    watch.observe(changed)
    assert "top_confidence" in drifting(watch)
    assert all(np.isfinite(each.evidence) for each in watch.findings())


def test_plain_shares_of_the_baseline_raise_false_alarms_and_bounds_do_not() -> None:
    plain, bounded = [], []
    for seed in range(8):
        reference = Reference(baseline(1_000, seed=100 + seed))
        week = Site(seed).predictions(4_000)
        plain.append(largest_evidence(reference, np.maximum(reference.shares, 1e-9), week))
        bounded.append(largest_evidence(reference, reference.bounds, week))
    assert sum(evidence >= LIMIT for evidence in plain) >= 4
    assert max(bounded) < LIMIT / 100


def test_the_expectation_of_an_e_value_is_at_most_one() -> None:
    """For every distribution below the bounds, also for the worst one."""
    reference = Reference(baseline(2_000))
    detector = SuddenDetector(reference.shares, reference.bounds, len(STREAMS))
    bins = reference.bins(Site(5).predictions(2_000))
    for row in bins[:500]:
        detector.observe(row, LIMIT)
    observed = detector.recent[:, bins] / reference.bounds[bins]
    for place in range(len(STREAMS)):
        members = np.unique(bins[:, place])
        probabilities = reference.bounds[members] / reference.bounds[members].sum()
        expectation = detector.recent[:, members] / reference.bounds[members] @ probabilities
        assert (expectation <= 1 + 1e-9).all()
    assert observed.mean() < 1


def test_a_sudden_change_is_found_and_named() -> None:
    watch = SuddenWatch(baseline(), "live")
    site = Site(3)
    watch.observe(site.predictions(2_000))
    assert not drifting(watch)
    before = watch.findings()[0]
    watch.observe(site.predictions(300, lift=0.25))
    found = drifting(watch)
    assert set(found) == {"top_confidence"}
    finding = found["top_confidence"]
    assert finding.since is not None
    assert finding.since >= "2026-01-11"
    assert finding.before == pytest.approx(before.before)
    assert finding.after is not None
    assert finding.before is not None
    assert finding.after > finding.before + 0.1
    assert finding.evidence >= 1
    assert "top_confidence" in finding.explanation
    assert sum(share.before for share in finding.shares) == pytest.approx(1)
    assert sum(share.after for share in finding.shares) == pytest.approx(1, abs=0.02)


def test_a_change_of_the_first_tags_names_the_tag_that_changed_most() -> None:
    watch = SuddenWatch(baseline(), "live")
    watch.observe(Site(4).predictions(1_000, first_tag=20))
    finding = drifting(watch)["first_tag"]
    assert "tag-" in finding.explanation or "other tags" in finding.explanation
    labels = [share.label for share in finding.shares]
    assert labels[:2] == ["no suggestion", "other tags"]


def test_an_alarm_ends_some_time_after_the_change() -> None:
    watch = SuddenWatch(baseline(), "live")
    site = Site(6)
    watch.observe(site.predictions(1_000, lift=0.3))
    assert drifting(watch)
    watch.observe(site.predictions(6_000))
    assert not drifting(watch)


def test_bins_are_joined_to_a_least_share_and_keep_large_ones_alone() -> None:
    assert join_bins(np.array([1, 1, 3, 95])).tolist() == [0, 0, 0, 1]
    assert join_bins(np.array([90, 1, 1, 8])).tolist() == [0, 1, 1, 2]
    assert join_bins(np.array([10])).tolist() == [0]


def test_every_value_has_a_label_for_its_bin() -> None:
    reference = Reference(baseline())
    assert sum(map(len, reference.labels)) == len(reference.shares)
    assert reference.shares.sum() == pytest.approx(len(STREAMS))
