"""What a challenger costs beside the champion: the time of an answer and the size of the bundle."""

import time
from collections.abc import Sequence
from typing import Final

from lambda_src.tagger import TagModel
from model_build.questions import Question

_TIMED_QUESTIONS: Final = 400
_REPEATS: Final = 5


def median_milliseconds(
    models: Sequence[TagModel], questions: Sequence[Question]
) -> tuple[float, ...]:
    """Measure the median time of an answer of each model, in one run.

    The models take turns at each question, so that other load on the machine meets all of them. A
    question's time is the best of several, which other load hardly changes.

    Returns
    -------
    tuple of float
        One per model, in milliseconds.
    """
    medians: list[list[float]] = [[] for _ in models]
    for question in questions[:_TIMED_QUESTIONS]:
        best = [float("inf")] * len(models)
        for _ in range(_REPEATS):
            for place, model in enumerate(models):
                started = time.perf_counter()
                model.suggest(question.title, question.body, body_format=question.body_format)
                best[place] = min(best[place], time.perf_counter() - started)
        for place, seconds in enumerate(best):
            medians[place].append(seconds)
    return tuple(sorted(each)[len(each) // 2] * 1_000 for each in medians)
