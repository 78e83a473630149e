import numpy as np
import pytest

from lambda_src.tagger.calibrator import (
    FEATURES,
    Calibrator,
    QuestionFacts,
    TagFacts,
    best_candidates,
    features,
)
from lambda_src.tagger.names import NameCounts


@pytest.mark.parametrize("n_tags", [1, 2, 40])
@pytest.mark.parametrize("n_prose_words", [0, 120])
def test_the_fast_way_is_the_regression_on_the_features(n_tags: int, n_prose_words: int) -> None:
    rng = np.random.default_rng(n_tags)
    weights = rng.normal(size=len(FEATURES) + 1)
    facts = TagFacts(rng.uniform(1, 8, n_tags), rng.normal(size=n_tags))
    names = NameCounts({0: 1, n_tags - 1: 3}, {0: 2, n_tags // 2: 1}, {0: 5})
    question = QuestionFacts(names, 9, n_prose_words)
    candidates = best_candidates(rng.normal(-3, 3, n_tags))
    expected = features(candidates, question, facts) @ weights[:-1] + weights[-1]
    np.testing.assert_allclose(Calibrator(weights, facts).odds(candidates, question), expected)


def test_of_equal_scores_the_commoner_tag_comes_first() -> None:
    assert best_candidates(np.array([1.0, 2.0, 1.0, 2.0])).tags.tolist() == [1, 3, 0, 2]
