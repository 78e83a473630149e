"""How far the figures of one test may be trusted: bootstrap intervals over its questions.

The percentile bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter
13: the questions are drawn again with replacement, and every figure is computed on each draw.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model_build.figures import N_CALIBRATION_BINS, SELECTED_SHARE, Judged

Weights = npt.NDArray[np.float64]
"""How often each question was drawn; shape (n_questions,)."""
Figure = Callable[[Weights], float]


class Interval(NamedTuple):
    """Where a figure lies with the probability that was asked for."""

    low: float
    high: float


def bootstrap_interval(
    figure: Figure, n_questions: int, *, draws: int = 1_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Give the interval of one figure; see `bootstrap_intervals`.

    Examples
    --------
    >>> right = np.array([1.0] * 80 + [0.0] * 20)
    >>> interval = bootstrap_interval(lambda drawn: float(drawn @ right) / drawn.sum(), 100)
    >>> [round(bound, 2) for bound in interval]
    [0.71, 0.87]
    """
    named = bootstrap_intervals({"it": figure}, n_questions, draws=draws, level=level, seed=seed)
    return named["it"]


def bootstrap_intervals(
    figures: dict[str, Figure],
    n_questions: int,
    *,
    draws: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Give the intervals of several figures, from the same draws.

    Parameters
    ----------
    figures : dict of str to callable
        Each computes a figure from how often each question was drawn.
    n_questions, draws : int
    level : float
        The probability that the figure lies in its interval.
    seed : int
    """
    generator = np.random.default_rng(seed)
    even = np.full(n_questions, 1 / n_questions)
    values: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(draws):
        drawn = generator.multinomial(n_questions, even).astype(np.float64)
        for name, figure in figures.items():
            values[name].append(figure(drawn))
    tails = (1 - level) / 2, (1 + level) / 2
    return {name: Interval(*map(float, np.quantile(of, tails))) for name, of in values.items()}


def intervals(
    judged: Sequence[Judged], model_tags: Collection[str], *, draws: int = 1_000, seed: int = 0
) -> dict[str, Interval]:
    """Give the 95 % intervals of the figures of `model_build.figures.figures`, by their names."""
    return bootstrap_intervals(weighted(judged, model_tags), len(judged), draws=draws, seed=seed)


def weighted(judged: Sequence[Judged], model_tags: Collection[str]) -> dict[str, Figure]:
    """Make the figures of `model_build.figures.figures` functions of the questions' weights."""
    known = set(model_tags)
    return {
        **_set_figures(judged, known),
        **_ranking_figures(judged),
        "prediction_rate": _mean_of(
            [bool(each.suggested) for each in judged],
            among=[bool(each.truth & known) for each in judged],
        ),
        "ece": _calibration_error(judged),
    }


def _mean_of(values: Sequence[float], among: Sequence[bool] | None = None) -> Figure:
    counted = np.ones(len(values)) if among is None else np.array(among, dtype=np.float64)
    summed = np.array(values, dtype=np.float64) * counted
    return lambda drawn: _ratio(float(drawn @ summed), float(drawn @ counted))


def _set_figures(judged: Sequence[Judged], known: set[str]) -> dict[str, Figure]:
    chosen = [{suggestion.tag for suggestion in each.suggested} for each in judged]
    hits = np.array([len(tags & each.truth) for tags, each in zip(chosen, judged, strict=True)])
    sizes = np.array([len(tags) for tags in chosen])
    truths = np.array([len(each.truth) for each in judged])
    both = sizes + truths

    def micro_jaccard(drawn: Weights) -> float:
        return _ratio(float(drawn @ hits), float(drawn @ (both - hits)))

    def micro_f1(drawn: Weights) -> float:
        return _ratio(float(2 * (drawn @ hits)), float(drawn @ both))

    return {
        "sample_jaccard": _mean_of((hits / (both - hits)).tolist()),
        "sample_f1": _mean_of((2 * hits / both).tolist()),
        "micro_jaccard": micro_jaccard,
        "micro_f1": micro_f1,
        "macro_f1": _macro_f1(chosen, [each.truth for each in judged], sorted(known)),
    }


def _macro_f1(
    chosen: Sequence[Collection[str]], truths: Sequence[Collection[str]], tags: Sequence[str]
) -> Figure:
    number = {tag: place for place, tag in enumerate(tags)}

    def marks(sets: Sequence[Collection[str]]) -> sp.csr_matrix:
        rows = [[number[tag] for tag in each if tag in number] for each in sets]
        flat = [tag for each in rows for tag in each]
        starts = np.cumsum([0, *map(len, rows)])
        return sp.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(sets), len(tags)))

    suggested, true = marks(chosen), marks(truths)
    right = suggested.multiply(true).tocsr()
    right_of_tag, suggested_of_tag, true_of_tag = right.T, suggested.T, true.T

    def figure(drawn: Weights) -> float:
        n_true = true_of_tag @ drawn
        occurs = n_true > 0
        f1 = 2 * (right_of_tag @ drawn)[occurs] / (n_true + suggested_of_tag @ drawn)[occurs]
        return float(f1.mean()) if len(f1) else 0.0

    return figure


def _ranking_figures(judged: Sequence[Judged]) -> dict[str, Figure]:
    first_right = [bool(each.ranked) and each.ranked[0].tag in each.truth for each in judged]
    recalls = [
        sum(suggestion.tag in each.truth for suggestion in each.ranked[:5]) / len(each.truth)
        for each in judged
    ]
    tops = np.array([each.ranked[0].confidence if each.ranked else 0.0 for each in judged])
    surest_first = np.argsort(-tops, kind="stable")
    right = np.array(first_right, dtype=np.float64)[surest_first]

    def selective(drawn: Weights) -> float:
        drawn = drawn[surest_first]
        left = round(SELECTED_SHARE * float(drawn.sum())) - np.cumsum(drawn) + drawn
        selected = np.clip(left, 0, drawn)
        return _ratio(float(selected @ right), float(selected.sum()))

    return {
        "precision_at_1": _mean_of(first_right),
        "recall_at_5": _mean_of(recalls),
        "selective_precision_at_1": selective,
    }


def _calibration_error(judged: Sequence[Judged]) -> Figure:
    said = [
        (suggestion.confidence, suggestion.tag in each.truth, question)
        for question, each in enumerate(judged)
        for suggestion in each.suggested
    ]
    confidences, rights, questions = np.array(sorted(said)).reshape(-1, 3).T
    questions = questions.astype(np.intp)

    def figure(drawn: Weights) -> float:
        weights = drawn[questions]
        total = float(weights.sum())
        if not total:
            return 0.0
        places = (np.cumsum(weights) - weights / 2) * N_CALIBRATION_BINS / total
        bins = np.minimum(places.astype(np.intp), N_CALIBRATION_BINS - 1)
        gaps = np.bincount(bins, weights * (confidences - rights), N_CALIBRATION_BINS)
        return float(np.abs(gaps).sum()) / total

    return figure


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
