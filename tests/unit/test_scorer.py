import numpy as np
import pytest
from scipy import sparse

from lambda_src.tagger.rules import STEPS_PER_WEIGHT
from lambda_src.tagger.scorer import Scorer, ScorerArrays
from lambda_src.tagger.vocabulary import FoundTerms
from model_build.packing import pack

N_TAGS = 40


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """Three common terms, three others, and one without weights; shape (7, N_TAGS)."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(7, N_TAGS)) * [[8], [1], [0.01], [2], [2], [2], [0]]
    weights[3:6, 2:] = 0
    weights[4, 1:] = 0
    return weights


TERM_WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
INTERCEPTS = np.linspace(-5, 5, N_TAGS)
FOUND = [
    FoundTerms(np.arange(7), np.array([1, 2, 3, 1, 9, 4, 2]), *np.zeros((2, 7), np.intp)),
    FoundTerms(np.array([0, 2]), np.array([1, 1]), *np.zeros((2, 2), np.intp)),
    FoundTerms(np.array([3, 5]), np.array([1, 2]), *np.zeros((2, 2), np.intp)),
    FoundTerms(np.array([6]), np.array([2]), *np.zeros((2, 1), np.intp)),
]


OFF_TOPIC_WEIGHTS, OFF_TOPIC_INTERCEPT = np.array([-2.0, 1.0, 0.0, 3.0, 0.01, 2.0, -3.0]), -1.5


def packed_of(weights: np.ndarray, term_weights: np.ndarray = TERM_WEIGHTS) -> ScorerArrays:
    off_topic = np.resize(OFF_TOPIC_WEIGHTS, len(term_weights))
    return pack(
        sparse.csr_array(weights),
        term_weights,
        INTERCEPTS,
        off_topic,
        OFF_TOPIC_INTERCEPT,
        rounded=True,
    )


@pytest.fixture(scope="module")
def scorer(weights: np.ndarray) -> Scorer:
    return Scorer(packed_of(weights))


@pytest.mark.parametrize("found", FOUND)
def test_scores_are_those_of_the_regressions_up_to_rounding(
    weights: np.ndarray, scorer: Scorer, found: FoundTerms
) -> None:
    tfidf = (1 + np.log(found.counts)) * TERM_WEIGHTS[found.terms]
    tfidf /= np.sqrt(tfidf @ tfidf)
    exact = tfidf @ weights[found.terms] + INTERCEPTS
    half_steps = tfidf @ np.abs(weights[found.terms]).max(axis=1) / STEPS_PER_WEIGHT / 2
    assert np.abs(scorer.scores(found) - exact).max() <= 1.01 * half_steps + 1e-6


@pytest.mark.parametrize("found", FOUND)
def test_contributions_sum_to_the_score(scorer: Scorer, found: FoundTerms) -> None:
    scores = scorer.scores(found)
    for tag in range(N_TAGS):
        contributions = scorer.contributions(found, tag)
        assert contributions.shape == found.terms.shape
        assert scorer.intercept(tag) + contributions.sum() == pytest.approx(scores[tag], abs=1e-4)


@pytest.mark.parametrize("terms_per_block", [1, 2, 4_096])
@pytest.mark.parametrize("term", [3, 4, 5, 7])
def test_each_term_leads_only_to_tags_that_exist(
    monkeypatch: pytest.MonkeyPatch, weights: np.ndarray, terms_per_block: int, term: int
) -> None:
    monkeypatch.setattr("lambda_src.tagger.scorer._TERMS_PER_BLOCK", terms_per_block)
    rare = np.vstack([weights, weights[3:4]])
    packed = packed_of(rare, np.arange(1.0, 9.0))
    first, end = packed.starts[term], packed.starts[term + 1]
    last_tag = packed.gaps[first:end].sum(dtype=int)
    for too_far in (0, 1):
        gaps = packed.gaps.copy()
        gaps[end - 1] += N_TAGS - 1 - last_tag + too_far
        if too_far:
            with pytest.raises(ValueError, match="a tag that does not exist"):
                Scorer(packed._replace(gaps=gaps))
        else:
            Scorer(packed._replace(gaps=gaps))


@pytest.mark.parametrize("found", FOUND)
def test_the_off_topic_score_is_that_of_its_regression_up_to_rounding(
    scorer: Scorer, found: FoundTerms
) -> None:
    tfidf = (1 + np.log(found.counts)) * TERM_WEIGHTS[found.terms]
    tfidf /= np.sqrt(tfidf @ tfidf)
    half_step = np.abs(OFF_TOPIC_WEIGHTS).max() / STEPS_PER_WEIGHT / 2
    exact = tfidf @ OFF_TOPIC_WEIGHTS[found.terms] + OFF_TOPIC_INTERCEPT
    assert scorer.off_topic_score(found) == pytest.approx(exact, abs=half_step * tfidf.sum())


def test_without_off_topic_texts_no_text_is_off_topic(weights: np.ndarray) -> None:
    packed = pack(
        sparse.csr_array(weights), TERM_WEIGHTS, INTERCEPTS, np.zeros(7), 0.0, rounded=True
    )
    assert [Scorer(packed).off_topic_score(found) for found in FOUND] == [0.0] * len(FOUND)


def test_a_model_may_have_no_rare_terms(weights: np.ndarray) -> None:
    packed = packed_of(weights[:3], TERM_WEIGHTS[:3])
    assert len(packed.gaps) == 0
    Scorer(packed)


def test_only_common_terms_have_a_weight_for_each_tag(weights: np.ndarray) -> None:
    packed = packed_of(weights)
    assert packed.common.tolist() == [0, 1, 2]
    assert packed.rows.shape == (3, N_TAGS)
    assert packed.starts.tolist() == [0, 0, 0, 0, 2, 3, 5, 5]
    assert np.abs(packed.rows).max() == STEPS_PER_WEIGHT
