from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_src.tagger.decoder import choose_tags, expected_jaccards, min_expected_jaccard
from lambda_src.tagger.rules import (
    FEW_TOPIC_WORDS,
    MIN_FEW_WORDS_JACCARD,
    MIN_TAG_CONFIDENCE,
    MIN_UNFAMILIAR_JACCARD,
)

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
    size, jaccard = choose_tags(values, others, 3)
    n_possible = sum(value >= MIN_TAG_CONFIDENCE for value in values[:3])
    assert min(1, n_possible) <= size <= n_possible
    assert jaccard == max(expected[:n_possible], default=0)
    assert size == 0 or jaccard == expected[size - 1]
    assert all(0 <= value <= 1 + 1e-9 for value in expected)


def test_sure_tags_are_all_taken_and_unsure_ones_left() -> None:
    assert choose_tags([0.95, 0.9, 0.85, 0.05, 0.02], 0.0, 5).size == 3
    assert choose_tags([0.9, 0.1, 0.1], 0.0, 5).size == 1
    assert choose_tags([], 1.0, 5) == (0, 0.0)


def test_a_tag_with_a_low_confidence_of_its_own_is_left_out() -> None:
    below = MIN_TAG_CONFIDENCE - 0.01
    assert choose_tags([0.3, MIN_TAG_CONFIDENCE, below, below], 9.0, 5).size == 2
    assert choose_tags([below, below], 0.0, 5) == (0, 0.0)


def test_unseen_true_tags_make_a_larger_set_worthwhile() -> None:
    values = [0.6, 0.35, 0.3]
    assert choose_tags(values, 3.0, 5).size >= choose_tags(values, 0.0, 5).size


@pytest.mark.parametrize(
    ("known_share", "n_topic_words", "floor", "least"),
    [
        (1.0, FEW_TOPIC_WORDS + 1, 0.07, 0.07),
        (1.0, FEW_TOPIC_WORDS, 0.07, MIN_FEW_WORDS_JACCARD),
        (1.0, FEW_TOPIC_WORDS, 0.2, 0.2),
        (0.5, FEW_TOPIC_WORDS + 1, 0.07, MIN_UNFAMILIAR_JACCARD),
        (0.5, FEW_TOPIC_WORDS, 0.07, MIN_UNFAMILIAR_JACCARD),
    ],
)
def test_a_question_that_says_little_needs_surer_tags(
    known_share: float, n_topic_words: int, floor: float, least: float
) -> None:
    assert min_expected_jaccard(known_share, n_topic_words, floor) == least
