import numpy as np

from lambda_src.tagger.calibrator import best_candidates


def test_of_equal_scores_the_commoner_tag_comes_first() -> None:
    assert best_candidates(np.array([1.0, 2.0, 1.0, 2.0])).tags.tolist() == [1, 3, 0, 2]
