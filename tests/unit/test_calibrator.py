import numpy as np
import pytest

from lambda_src.tagger.calibrator import (
    Candidates,
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.feature_matrix import feature_matrix
from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.rules import CALIBRATOR_FEATURES, MAX_CANDIDATES

PYTHON, YEAST, JAVA = range(3)
FACTS = TagFacts(
    np.log([90.0, 7.0, 50.0]),
    name_worth=np.array([2.0, 3.0, -1.0]),
    lower_worth=np.array([1.5, 2.5, -2.0]),
    capital_worth=np.array([4.0, 5.0, 6.0]),
)


def described(question: QuestionFacts, **scores: float) -> dict[str, list[float]]:
    """Compute the features of candidates by their names."""
    tags = np.array([{"python": PYTHON, "yeast": YEAST, "java": JAVA}[name] for name in scores])
    matrix = features(Candidates(tags, np.array(list(scores.values()))), question, FACTS)
    assert matrix.shape == (len(tags), len(CALIBRATOR_FEATURES))
    return dict(zip(CALIBRATOR_FEATURES, matrix.T.tolist(), strict=True))


def test_of_equal_scores_the_more_common_tag_comes_first() -> None:
    assert best_candidates(np.array([1.0, 2.0, 1.0, 2.0])).tags.tolist() == [1, 3, 0, 2]


def test_of_equal_scores_the_more_common_tags_are_candidates() -> None:
    scores = np.zeros(3 * MAX_CANDIDATES)
    scores[-1] = 1
    expected = [len(scores) - 1, *range(MAX_CANDIDATES - 1)]
    assert best_candidates(scores).tags.tolist() == expected


def test_features_compare_each_score_with_the_others() -> None:
    question = QuestionFacts(NameCounts({}, {}, {}), 4, 0, 0)
    found = described(question, yeast=2.5, python=1.0, java=-1.5)
    assert found["score"] == [2.5, 1.0, -1.5]
    assert found["score above -1"] == [3.5, 2.0, 0.0]
    assert found["score above 2"] == [0.5, 0.0, 0.0]
    assert found["behind the best"] == [0.0, -1.5, -4.0]
    assert found["ahead of the next"] == [1.5, 2.5, 0.0]
    assert found["behind the one before"] == [0.0, 1.5, 2.5]
    assert found["mean of three best"] == pytest.approx([2 / 3] * 3)
    assert found["log rank"] == pytest.approx(np.log([1, 2, 3]))
    assert found["score x log uses"] == pytest.approx(
        [2.5 * np.log(7), np.log(90), -1.5 * np.log(50)]
    )


def test_features_say_in_which_fields_the_name_of_a_tag_is() -> None:
    names = NameCounts({YEAST: 1}, {YEAST: 1, JAVA: 2}, {PYTHON: 5}, {PYTHON})
    found = described(QuestionFacts(names, 3, 20, 0), yeast=2.0, python=1.0, java=-1.0)
    assert found["name in title"] == [1, 0, 0]
    assert found["name in title x its worth"] == [2.5, 0, 0]
    assert found["score x name in title"] == [2, 0, 0]
    assert found["name in prose"] == [1, 0, 1]
    assert found["name in prose x its worth"] == [3, 0, -1]
    assert found["name in prose twice"] == [0, 0, 1]
    assert found["name in code"] == [0, 1, 0]


@pytest.mark.parametrize(
    ("capitals", "worth"), [({YEAST}, [5, -2]), (set(), [2.5, -2]), (None, [3, -1])]
)
def test_a_name_with_a_capital_letter_has_a_worth_of_its_own(
    capitals: set[int] | None, worth: list[float]
) -> None:
    names = NameCounts({YEAST: 1, JAVA: 1}, {YEAST: 1}, {}, capitals)
    found = described(QuestionFacts(names, 3, 20, 0), yeast=2.0, java=-1.0)
    assert found["name in title x its worth"] == worth
    assert found["name in prose x its worth"] == [3, 0]


@pytest.mark.parametrize(("n_prose_words", "has_prose"), [(0, 0.0), (1, 1.0)])
def test_features_say_whether_a_question_has_prose(n_prose_words: int, has_prose: float) -> None:
    question = QuestionFacts(NameCounts({}, {}, {}), 3, n_prose_words, 0)
    found = described(question, yeast=2.0, python=1.0)
    assert found["has prose"] == [has_prose] * 2
    assert found["score x has prose"] == [2 * has_prose, has_prose]
    assert found["log prose words"] == pytest.approx([np.log(n_prose_words + 1)] * 2)
    assert found["score x log title words"] == pytest.approx([2 * np.log(4), np.log(4)])


@pytest.mark.parametrize(("n_code_words", "has_code"), [(0, 0.0), (7, 1.0)])
def test_features_say_whether_a_question_has_code(n_code_words: int, has_code: float) -> None:
    question = QuestionFacts(NameCounts({}, {}, {}), 3, 0, n_code_words)
    found = described(question, yeast=2.0, python=1.0)
    assert found["has code"] == [has_code] * 2
    assert found["score x has code"] == [2 * has_code, has_code]
    log_words = np.log(n_code_words + 1)
    assert found["log code words"] == pytest.approx([log_words] * 2)
    assert found["score x log code words"] == pytest.approx([2 * log_words, log_words])


@pytest.mark.parametrize("names", [["score"], ["score", "rank", "uses"], ["score", "uses"]])
def test_a_list_of_features_that_is_not_the_computed_one_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"features \[.*\] are either listed"):
        feature_matrix(names, {"score": np.ones(2), "rank": 1.0}, 2)


def test_the_most_extreme_odds_are_certainties() -> None:
    assert confidences(np.array([-1e30, 0.0, 1e30])) == pytest.approx([0, 0.5, 1])
