from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone

from lambda_src.tagger.calibrator import Candidates, QuestionFacts
from lambda_src.tagger.names import NameCounts
from model_build.calibration import Calibrator, NameFeatures, ScoredQuestion, are_true
from model_build.cross_fitting import cross_fit
from model_build.reranking import Reranker, RerankerInputs
from model_build.tag_regressions import TagRegressions

FOLDS = np.array([0, 1, 0, 2, 1, 2])


class Memory(BaseEstimator):  # type: ignore[misc]
    """Remembers what it was fitted on."""

    def fit(self, questions: list[str], truth: npt.NDArray[np.intp]) -> Self:
        assert len(questions) == len(truth)
        self.seen_ = set(questions)
        return self

    def predict(self, questions: list[str]) -> list[tuple[str, bool, int]]:
        return [(each, each in self.seen_, len(self.seen_)) for each in questions]


def test_no_estimator_sees_the_questions_that_it_is_applied_to() -> None:
    questions = list("abcdef")
    estimator = Memory()
    results = cross_fit(estimator, questions, np.arange(6), FOLDS, Memory.predict)
    assert results == [(question, False, 4) for question in questions]
    assert not hasattr(estimator, "seen_")


def test_the_worth_of_a_name_comes_from_the_other_folds() -> None:
    """One question, alone in its fold, has both the name in its title and the tag."""
    with_name, without_name = NameCounts({0: 1}, {}, {}), NameCounts({}, {}, {})
    candidates = Candidates(np.array([0]), np.array([1.0]))
    questions = [
        ScoredQuestion(QuestionFacts(names, 3, 0, 0), candidates)
        for names in (with_name, without_name, without_name)
    ]
    has_tag = sp.csr_matrix(np.array([[True], [False], [False]]))
    estimator = NameFeatures(np.zeros(1))
    fitted = estimator.fit(questions, has_tag)
    assert fitted.tag_facts_.name_worth[0] > 0
    first, *_ = cross_fit(estimator, questions, has_tag, np.arange(3), NameFeatures.transform)
    unknown = clone(estimator).fit(questions[1:], has_tag[1:]).transform(questions[:1])
    np.testing.assert_array_equal(first, unknown[0])
    assert not np.array_equal(first, fitted.transform(questions[:1])[0])


def test_a_name_is_worth_more_where_its_capital_letter_means_the_tag() -> None:
    written = [({0}, True)] * 9 + [(set[int](), False)] * 9
    questions = [
        ScoredQuestion(
            QuestionFacts(NameCounts({0: 1}, {}, {}, capitals), 3, 0, 0),
            Candidates(np.array([0]), np.array([1.0])),
        )
        for capitals, _ in written
    ]
    has_tag = sp.csr_matrix(np.array([[is_true] for _, is_true in written]))
    _, of_all, lower, capital = NameFeatures(np.zeros(1)).fit(questions, has_tag).tag_facts_
    assert of_all == pytest.approx(0, abs=1e-9)
    # Nine questions, and five that are expected to be as likely as all.
    assert capital == pytest.approx(np.log(11.5 / 2.5))
    assert lower == pytest.approx(-capital)


def test_true_tags_are_looked_up_question_by_question() -> None:
    has_tag = sp.csr_matrix(np.array([[True, False, True], [False, True, False]]))
    found = are_true(has_tag, [np.array([2, 1]), np.array([1, 0, 2])])
    assert found.tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("estimator", "parameters"),
    [
        (NameFeatures(np.zeros(2)), {"log_uses"}),
        (Calibrator(), set()),
        (RerankerInputs(np.zeros(2)), {"log_uses"}),
        (Reranker(random_state=3), {"random_state"}),
        (TagRegressions(prune=0.5), {"prune", "balance", "n_similar", "n_random", "jobs", "seed"}),
    ],
)
def test_estimators_can_be_copied(estimator: BaseEstimator, parameters: set[str]) -> None:
    found: dict[str, Any] = estimator.get_params()
    assert parameters <= found.keys()
    copied = clone(estimator).get_params()
    assert copied.keys() == found.keys()
    assert all(np.array_equal(copied[name], found[name]) for name in found)


def test_the_calibrator_learns_odds_for_features_of_any_scale() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(50, [1, 1000], (4000, 2))
    odds = 2 * (features[:, 0] - 50)
    is_true = rng.random(4000) < 1 / (1 + np.exp(-odds))
    calibrator = Calibrator().fit(features, is_true)
    assert calibrator.coef_ == pytest.approx([2, 0], abs=0.2)
    assert calibrator.decision_function(features) == pytest.approx(odds, abs=0.8)
