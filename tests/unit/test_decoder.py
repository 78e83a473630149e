from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.tagger.decoder import best_size, expected_jaccards

confidences = st.lists(st.floats(0, 1), min_size=1, max_size=7).map(
    lambda values: sorted(values, reverse=True)
)


def exact(confidences: list[float], size: int) -> float:
    """The expectation over every possible set of true tags."""
    total = 0.0
    for truth in product((0, 1), repeat=len(confidences)):
        probability = 1.0
        for confidence, present in zip(confidences, truth, strict=True):
            probability *= confidence if present else 1 - confidence
        total += probability * sum(truth[:size]) / (size + sum(truth[size:]))
    return total


@given(confidences)
def test_where_all_candidates_could_be_chosen_the_expectation_is_exact(values: list[float]) -> None:
    expected = expected_jaccards(values, 0.0, 7)
    for size, value in enumerate(expected, 1):
        assert value == pytest.approx(exact(values, size), abs=1e-5)


@given(confidences)
def test_taking_the_rest_as_poisson_distributed_is_close(values: list[float]) -> None:
    expected = expected_jaccards(values, 0.0, 5)
    for size, value in enumerate(expected, 1):
        assert value == pytest.approx(exact(values, size), abs=0.06)


@given(confidences, st.floats(0, 5))
def test_a_size_is_possible_and_the_best(values: list[float], others: float) -> None:
    expected = expected_jaccards(values, others, 3)
    size = best_size(values, others, 3)
    assert 1 <= size <= min(3, len(values))
    assert expected[size - 1] == max(expected)
    assert all(0 <= value <= 1 + 1e-9 for value in expected)


def test_sure_tags_are_all_taken_and_unsure_ones_left() -> None:
    assert best_size([0.95, 0.9, 0.85, 0.05, 0.02], 0.0, 5) == 3
    assert best_size([0.9, 0.1, 0.1], 0.0, 5) == 1
    assert best_size([], 1.0, 5) == 0


def test_unseen_true_tags_make_a_larger_set_worthwhile() -> None:
    values = [0.6, 0.35, 0.3]
    assert best_size(values, 3.0, 5) >= best_size(values, 0.0, 5)
