import numpy as np
import pytest
import scipy.sparse as sp

from lambda_src.tagger.calibrator import Candidates, QuestionFacts
from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.reranker import CoOccurrence, PairCounts, shortlist
from lambda_src.tagger.rules import (
    MAX_SHORTLISTED,
    NO_PROSE,
    RERANKER_INPUTS,
    WITH_PROSE,
)
from model_build.reranking import Reranker, ShortlistedQuestion, count_pairs, tag_records

PANDAS, PYTHON, YEAST, NEW = range(4)
MARKS = sp.csr_matrix(np.array([[1, 1, 0, 0]] * 30 + [[0, 1, 0, 0]] * 50 + [[0, 0, 1, 0]] * 20))


def test_pairs_of_tags_and_uses_of_single_tags_are_counted() -> None:
    pairs = count_pairs(MARKS)
    found = {
        divmod(key, 4): count for key, count in zip(*map(np.ndarray.tolist, pairs[:2]), strict=True)
    }
    assert found == {(0, 0): 30, (0, 1): 30, (1, 1): 80, (2, 2): 20}
    assert pairs.n_questions == 100


def test_co_occurrence_is_what_the_formulas_say() -> None:
    """Compares with the definitions, written out for each pair of tags."""
    uses, together = [30, 80, 20, 0], {(0, 1): 30, (1, 0): 30}
    tags, likely = np.array([2, 1, 3, 0]), np.array([0.3, 0.9, 0.1, 0.6])
    lifts, implied = np.zeros(4), np.zeros(4)
    for place, tag in enumerate(tags.tolist()):
        for other, confidence in zip(tags.tolist(), likely.tolist(), strict=True):
            if other == tag:
                continue
            share, met = (uses[tag] + 0.5) / 100, together.get((tag, other), 0)
            lifts[place] += confidence * np.log((met / share + 5) / (uses[other] + 5))
            implied[place] = max(implied[place], confidence * met / (uses[other] + 5))
    lift, mean_lift, most_implied = CoOccurrence(count_pairs(MARKS), 4).features(tags, likely)
    np.testing.assert_allclose(lift, lifts)
    np.testing.assert_allclose(mean_lift, lifts / (likely.sum() - likely + 0.1))
    np.testing.assert_allclose(most_implied, implied)


def test_a_tag_that_occurs_with_a_likely_tag_is_lifted_and_others_are_not() -> None:
    lift, _, implied = CoOccurrence(count_pairs(MARKS), 4).features(
        np.array([PANDAS, PYTHON, YEAST, NEW]), np.array([0.9, 0.3, 0.3, 0.3])
    )
    assert lift[PYTHON] > lift[YEAST]
    assert implied.argmax() == PYTHON


@pytest.mark.parametrize(
    ("keys", "counts"), [([5, 0], [1, 1]), ([4], [1]), ([16], [1]), ([0, 5], [1]), ([-1], [1])]
)
def test_pairs_that_do_not_fit_are_refused(keys: list[int], counts: list[int]) -> None:
    with pytest.raises(ValueError, match="pairs of tags"):
        CoOccurrence(PairCounts(np.array(keys), np.array(counts), 9), 4)


def test_a_corpus_without_pairs_has_no_co_occurrence() -> None:
    none = PairCounts(np.zeros(0, np.int64), np.zeros(0, np.intp), 0)
    assert not np.any(CoOccurrence(none, 4).features(np.arange(4), np.full(4, 0.5)))


def test_the_shortlist_has_the_candidates_with_the_best_odds() -> None:
    odds = np.arange(40, dtype=np.float64) % 7 - 3
    best = shortlist(Candidates(np.arange(40), -np.arange(40.0)), odds)
    assert len(best.tags) == MAX_SHORTLISTED
    assert best.odds.tolist() == sorted(odds.tolist(), reverse=True)[:MAX_SHORTLISTED]
    assert best.tags[0] == 6
    assert (best.scores == -best.tags).all()


def test_a_tag_that_is_true_more_often_than_expected_has_a_better_record() -> None:
    of_all = shortlist(Candidates(np.arange(3), np.zeros(3)), np.zeros(3))
    title, body = (QuestionFacts(NameCounts({}, {}, {}), 5, n_words, 0) for n_words in (0, 9))
    questions = [ShortlistedQuestion(title, of_all)] * 60 + [ShortlistedQuestion(body, of_all)] * 60
    in_titles = [[True, False, n % 2 == 0, False] for n in range(60)]
    in_bodies = [[False, True, n % 2 == 0, False] for n in range(60)]
    records = tag_records(questions, sp.csr_matrix(np.array(in_titles + in_bodies)))
    assert records[NO_PROSE, 0] > 0 > records[NO_PROSE, 1]
    assert records[WITH_PROSE, 1] > 0 > records[WITH_PROSE, 0]
    assert not records[:, 2:].any()


def test_the_network_learns_what_no_sum_can_say_and_learns_it_again() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(3, 2, (400 * MAX_SHORTLISTED, len(RERANKER_INPUTS)))
    is_true = (samples[:, 0] > 3) != (samples[:, 1] > 3)
    reranker, again = (Reranker(random_state=1).fit(samples, is_true) for _ in range(2))
    assert np.mean((reranker.decision_function(samples) > 0) == is_true) > 0.9
    for ours, theirs in zip(reranker.network_, again.network_, strict=True):
        assert ours.tobytes() == theirs.tobytes()
