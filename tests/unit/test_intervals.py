import numpy as np
import pytest

from lambda_src.tagger import Suggestion
from model_build.intervals import bootstrap_interval, metric_intervals, weighted_metrics
from model_build.metrics import JudgedQuestion, compute_metrics

TAGS = [f"tag-{number}" for number in range(8)]


def predictions(n_questions: int, seed: int = 1) -> list[JudgedQuestion]:
    chance = np.random.default_rng(seed)
    judged = []
    for _ in range(n_questions):
        truth = chance.permutation([*TAGS, "unseen"])[: chance.integers(1, 4)]
        confidences = np.sort(chance.random(5))[::-1].tolist()
        tags = chance.permutation(TAGS)[:5].tolist()
        ranked = [Suggestion(*pair) for pair in zip(tags, confidences, strict=True)]
        judged.append(
            JudgedQuestion(frozenset(truth.tolist()), ranked, ranked[: chance.integers(0, 4)])
        )
    return judged


@pytest.mark.parametrize("n_questions", [1, 60, 400])
def test_with_each_question_drawn_once_the_metrics_are_the_usual_ones(n_questions: int) -> None:
    judged = predictions(n_questions)
    usual = compute_metrics(judged, TAGS)
    once = {
        name: metric(np.ones(n_questions))
        for name, metric in weighted_metrics(judged, TAGS).items()
    }
    assert once.keys() == usual.keys() - {"coverage"}
    # Bins of equal mass can be cut at either side of a suggestion.
    assert once.pop("ece") == pytest.approx(usual["ece"], abs=0.02)
    assert once == pytest.approx({name: usual[name] for name in once})


def test_a_question_drawn_twice_counts_as_two() -> None:
    judged = predictions(40)
    drawn = np.random.default_rng(2).multinomial(40, [1 / 40] * 40)
    repeated = [each for each, times in zip(judged, drawn, strict=True) for _ in range(times)]
    usual = compute_metrics(repeated, TAGS)
    for name, metric in weighted_metrics(judged, TAGS).items():
        if name != "ece":
            assert metric(drawn.astype(float)) == pytest.approx(usual[name]), name


def test_a_share_has_the_interval_that_the_normal_approximation_gives() -> None:
    right = np.array([1.0] * 300 + [0.0] * 700)
    low, high = bootstrap_interval(lambda drawn: float(drawn @ right) / 1000, 1000, draws=4000)
    margin = 1.96 * (0.3 * 0.7 / 1000) ** 0.5
    assert (low, high) == pytest.approx((0.3 - margin, 0.3 + margin), abs=0.003)


def test_intervals_contain_the_metrics_and_narrow_with_more_questions() -> None:
    few, many = predictions(50), predictions(1500)
    wide, narrow = metric_intervals(few, TAGS, draws=300), metric_intervals(many, TAGS, draws=300)
    assert metric_intervals(few, TAGS, draws=300) == wide
    for name in ("sample_jaccard", "precision_at_1", "recall_at_5", "prediction_rate"):
        for judged, found in ((few, wide), (many, narrow)):
            assert found[name].low <= compute_metrics(judged, TAGS)[name] <= found[name].high
        assert narrow[name].high - narrow[name].low < wide[name].high - wide[name].low


def test_a_model_that_never_suggests_has_intervals_too() -> None:
    silent = [JudgedQuestion(frozenset({"tag-1"}), [], [])] * 5
    found = metric_intervals(silent, TAGS, draws=20)
    assert all(bounds == (0.0, 0.0) for bounds in found.values())
