import numpy as np
import pytest
from scipy import stats

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.drift.live_counts import LiveCounts
from lambda_src.monitor.drift.observations import FIGURES
from lambda_src.monitor.drift.weekly import (
    LEVEL,
    MIN_PREDICTIONS,
    TAGS,
    WeeklyWatch,
    ks_p_values,
    tags_p_values,
)
from tests.support.drift_streams import Site, baseline


@pytest.fixture(scope="module")
def release() -> Baseline:
    return baseline()


def live_of(release: Baseline, seed: int) -> Baseline:
    counts = LiveCounts(release)
    counts.add(Site(seed).predictions(3_000))
    return counts.as_baseline()


def by_figure(watch: WeeklyWatch, compared_with: str = "live") -> dict[str, Finding]:
    return {each.figure: each for each in watch.findings() if each.compared_with == compared_with}


def test_the_binned_ks_test_is_that_of_scipy_where_bins_are_single_values() -> None:
    random = np.random.default_rng(0)
    before, after = random.integers(0, 50, 3_000), np.minimum(random.integers(0, 52, 2_000), 49)
    counts = [np.bincount(values, minlength=50) for values in (before, after)]
    theirs = stats.ks_2samp(before, after, method="asymp")
    # scipy corrects the asymptotic distribution for small samples.
    assert float(ks_p_values(*counts)) == pytest.approx(theirs.pvalue, rel=0.1)
    # Joined bins see less, never more.
    joined = [each.reshape(10, 5).sum(axis=1) for each in counts]
    assert ks_p_values(*joined) >= ks_p_values(*counts)


def test_the_test_of_tags_is_the_chi_square_test_for_one_tag() -> None:
    old, new = np.array([30]), np.array([45])
    theirs = stats.chi2_contingency([[30, 970], [45, 755]], correction=False)
    assert float(tags_p_values(old, 1000, new, 800, 1.0)) == pytest.approx(theirs.pvalue)
    # Tags that occur together hold less information.
    assert tags_p_values(old, 1000, new, 800, 2.0) > tags_p_values(old, 1000, new, 800, 1.0)
    assert tags_p_values(np.array([0, 5]), 5, np.array([0, 5]), 5, 1.0) == 1.0


def test_both_tests_keep_their_level(release: Baseline) -> None:
    p_values: dict[str, list[float]] = {"figures": [], TAGS: []}
    for seed in range(60):
        before, after = live_of(release, seed), live_of(release, 1_000 + seed)
        p_values["figures"] += [
            float(ks_p_values(before.figures[name].counts, after.figures[name].counts))
            for name in FIGURES
        ]
        tags = list(before.tags)
        old, new = (np.array([each.tags.get(tag, 0) for tag in tags]) for each in (before, after))
        p_values[TAGS].append(float(tags_p_values(old, 3_000, new, 3_000, release.tag_overlap)))
    for values in p_values.values():
        assert np.mean(np.array(values) <= 0.05) <= 0.1
        assert min(values) > LEVEL / 10


def test_a_week_is_judged_when_the_next_one_begins(release: Baseline) -> None:
    site = Site(1)
    watch = WeeklyWatch(release, live_of(release, 7))
    watch.observe(site.predictions(2_100))
    assert {each.status for each in watch.findings()} == {"not enough data"}
    watch.observe(site.predictions(1))
    assert {each.status for each in by_figure(watch).values()} == {"ok"}
    assert set(by_figure(watch)) == {*FIGURES, TAGS}
    assert "week of 2026-01-05" in by_figure(watch)["words"].explanation


def test_weeks_with_few_predictions_are_joined(release: Baseline) -> None:
    watch = WeeklyWatch(release, live_of(release, 7))
    all_predictions = Site(2).predictions(2_100 * 5)
    # A fifth of the traffic: 420 predictions a week.
    few = type(all_predictions)(
        all_predictions.days[::5], all_predictions.figures[::5], all_predictions.tags[::5]
    )
    watch.observe(few[: 420 * 2 + 1])
    assert {each.status for each in watch.findings()} == {"not enough data"}
    watch.observe(few[420 * 2 + 1 : 420 * 3 + 1])
    assert "from 2026-01-05 to 2026-01-19" in by_figure(watch)["words"].explanation
    assert 420 * 2 < MIN_PREDICTIONS < 420 * 3


def test_a_small_change_of_a_whole_week_is_found(release: Baseline) -> None:
    site = Site(3)
    watch = WeeklyWatch(release, live_of(release, 7))
    watch.observe(site.predictions(2_100))
    watch.observe(site.predictions(2_100, lift=0.03))
    assert {each.status for each in by_figure(watch).values()} == {"ok"}
    watch.observe(site.predictions(1, lift=0.03))
    found = by_figure(watch)["top_confidence"]
    assert (found.kind, found.status, found.since) == ("slow_drift", "drift", "2026-01-12")
    assert found.pages
    # The release's baseline allows for more: the deployed model is not the one that it judges.
    released = by_figure(watch, "release")["top_confidence"]
    assert released.evidence < 1
    watch.observe(site.predictions(4_200))
    assert by_figure(watch)["top_confidence"].status == "ok"


def test_a_shift_of_the_tags_is_found_and_names_the_tag_that_changed_most(
    release: Baseline,
) -> None:
    site = Site(4)
    watch = WeeklyWatch(release, live_of(release, 7))
    watch.observe(site.predictions(2_100, first_tag=2))
    watch.observe(site.predictions(1))
    found = by_figure(watch)[TAGS]
    assert (found.kind, found.status) == ("label_shift", "drift")
    assert "'tag-" in found.explanation
    assert found.shares[0].label in found.explanation
    assert not by_figure(watch, "release")[TAGS].pages
    assert by_figure(watch, "release")[TAGS].status == "drift"
