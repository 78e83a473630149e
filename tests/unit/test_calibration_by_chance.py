"""The calibration error that a model has although its confidences are right."""

import numpy as np
import pytest

from lambda_src.tagger import Suggestion
from model_build.metrics import (
    N_CALIBRATION_BINS,
    JudgedQuestion,
    calibration_error_by_chance,
    expected_calibration_error,
)


def questions_of_a_right_model(n_questions: int) -> list[JudgedQuestion]:
    generator = np.random.default_rng(5)
    confidences = generator.uniform(0.1, 1, n_questions)
    is_right = generator.random(n_questions) < confidences
    return [
        JudgedQuestion(
            frozenset({"a"} if right else {"b"}),
            [Suggestion("a", confidence)],
            [Suggestion("a", confidence)],
        )
        for confidence, right in zip(confidences.tolist(), is_right.tolist(), strict=True)
    ]


@pytest.mark.parametrize("n_questions", [400, 10_000])
def test_it_is_the_error_of_a_right_model_and_falls_with_more_questions(n_questions: int) -> None:
    questions = questions_of_a_right_model(n_questions)
    by_chance = calibration_error_by_chance(questions)
    # The mean distance in a bin is that of a normal distribution: sqrt(2 / pi) deviations.
    confidences = np.linspace(0.1, 1, N_CALIBRATION_BINS * 100).reshape(N_CALIBRATION_BINS, -1)
    deviations = (confidences * (1 - confidences)).mean(axis=1) ** 0.5
    in_a_bin = n_questions / N_CALIBRATION_BINS
    expected = (2 / np.pi) ** 0.5 * deviations.mean() / in_a_bin**0.5
    assert by_chance == pytest.approx(expected, rel=0.1)
    assert expected_calibration_error(questions) == pytest.approx(by_chance, rel=0.6)


def test_it_is_zero_without_suggestions() -> None:
    assert calibration_error_by_chance([]) == 0
    assert calibration_error_by_chance([JudgedQuestion(frozenset({"a"}), [], [])]) == 0
