"""Compute confidence intervals of metrics, by a bootstrap over the questions.

The percentile bootstrap of Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter
13: draw the questions again with replacement, many times, and compute the metrics on each draw.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from model_build.metrics import N_CALIBRATION_BINS, SELECTED_SHARE, JudgedQuestion

Weights = npt.NDArray[np.float64]
"""How often each question was drawn; shape (n_questions,)."""
WeightedMetric = Callable[[Weights], float]
"""Computes a metric of questions that count as often as they were drawn."""


class Interval(NamedTuple):
    """The range that contains the true value of a metric with a certain probability."""

    low: float
    high: float


def bootstrap_interval(
    metric: WeightedMetric,
    n_questions: int,
    *,
    draws: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Compute the interval of one metric; see `bootstrap_intervals`.

    Examples
    --------
    >>> right = np.array([1.0] * 80 + [0.0] * 20)
    >>> interval = bootstrap_interval(lambda drawn: float(drawn @ right) / drawn.sum(), 100)
    >>> [round(bound, 2) for bound in interval]
    [0.72, 0.87]
    """
    metrics = {"metric": metric}
    return bootstrap_intervals(metrics, n_questions, draws=draws, level=level, seed=seed)["metric"]


def bootstrap_intervals(
    metrics: dict[str, WeightedMetric],
    n_questions: int,
    *,
    draws: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Compute the intervals of several metrics, from the same draws.

    Parameters
    ----------
    metrics : dict of str to callable
        Each one computes a metric from an array of shape (n_questions,): how often each question
        was drawn.
    n_questions, draws : int
    level : float
        The probability that an interval contains the true value.
    seed : int
    """
    generator = np.random.default_rng(seed)
    even = np.full(n_questions, 1 / n_questions)
    values: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(draws):
        drawn = generator.multinomial(n_questions, even).astype(np.float64)
        for name, metric in metrics.items():
            values[name].append(metric(drawn))
    tails = (1 - level) / 2, (1 + level) / 2
    return {
        name: Interval(*map(float, np.quantile(of_metric, tails)))
        for name, of_metric in values.items()
    }


def metric_intervals(
    judged: Sequence[JudgedQuestion],
    model_tags: Collection[str],
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Compute 95 % intervals for `model_build.metrics.compute_metrics`, without ``coverage``.

    Parameters
    ----------
    judged : sequence of JudgedQuestion
    model_tags : collection of str
        The tags that the model can suggest.
    draws, seed : int

    Returns
    -------
    dict of str to Interval
        By the names of the metrics.
    """
    metrics = weighted_metrics(judged, model_tags)
    return bootstrap_intervals(metrics, len(judged), draws=draws, seed=seed)


def weighted_metrics(
    judged: Sequence[JudgedQuestion], model_tags: Collection[str]
) -> dict[str, WeightedMetric]:
    """Make a function of the draw from each metric of `model_build.metrics.compute_metrics`."""
    known = set(model_tags)
    return {
        **_set_metrics(judged, known),
        **_ranking_metrics(judged),
        "prediction_rate": _mean_of(
            [bool(question.suggested) for question in judged],
            among=[bool(question.truth & known) for question in judged],
        ),
        "ece": _calibration_error(judged),
    }


def _mean_of(values: Sequence[float], among: Sequence[bool] | None = None) -> WeightedMetric:
    counted = np.ones(len(values)) if among is None else np.array(among, dtype=np.float64)
    summed = np.array(values, dtype=np.float64) * counted
    return lambda drawn: _ratio(float(drawn @ summed), float(drawn @ counted))


def _set_metrics(judged: Sequence[JudgedQuestion], known: set[str]) -> dict[str, WeightedMetric]:
    chosen = [{suggestion.tag for suggestion in question.suggested} for question in judged]
    hits = np.array(
        [len(tags & question.truth) for tags, question in zip(chosen, judged, strict=True)]
    )
    sizes = np.array([len(tags) for tags in chosen])
    truths = np.array([len(question.truth) for question in judged])
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
        "macro_f1": _macro_f1(chosen, [question.truth for question in judged], sorted(known)),
    }


def _macro_f1(
    chosen: Sequence[Collection[str]], truths: Sequence[Collection[str]], tags: Sequence[str]
) -> WeightedMetric:
    number = {tag: place for place, tag in enumerate(tags)}

    def tag_matrix(sets: Sequence[Collection[str]]) -> sp.csr_matrix:
        rows = [
            [number[tag] for tag in tags_of_question if tag in number] for tags_of_question in sets
        ]
        flat = [tag for row in rows for tag in row]
        starts = np.cumsum([0, *map(len, rows)])
        return sp.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(sets), len(tags)))

    suggested, true = tag_matrix(chosen), tag_matrix(truths)
    hits = suggested.multiply(true).tocsr()
    hits_of_tag, suggested_of_tag, true_of_tag = hits.T, suggested.T, true.T

    def metric(drawn: Weights) -> float:
        n_true = true_of_tag @ drawn
        occurs = n_true > 0
        f1 = 2 * (hits_of_tag @ drawn)[occurs] / (n_true + suggested_of_tag @ drawn)[occurs]
        return float(f1.mean()) if len(f1) else 0.0

    return metric


def _ranking_metrics(judged: Sequence[JudgedQuestion]) -> dict[str, WeightedMetric]:
    first_right = [
        bool(question.ranked) and question.ranked[0].tag in question.truth for question in judged
    ]
    recalls = [
        sum(suggestion.tag in question.truth for suggestion in question.ranked[:5])
        / len(question.truth)
        for question in judged
    ]
    tops = np.array(
        [question.ranked[0].confidence if question.ranked else 0.0 for question in judged]
    )
    by_confidence = np.argsort(-tops, kind="stable")
    right = np.array(first_right, dtype=np.float64)[by_confidence]

    def selective(drawn: Weights) -> float:
        drawn = drawn[by_confidence]
        unselected = round(SELECTED_SHARE * float(drawn.sum())) - np.cumsum(drawn) + drawn
        selected = np.clip(unselected, 0, drawn)
        return _ratio(float(selected @ right), float(selected.sum()))

    return {
        "precision_at_1": _mean_of(first_right),
        "recall_at_5": _mean_of(recalls),
        "selective_precision_at_1": selective,
    }


def _calibration_error(judged: Sequence[JudgedQuestion]) -> WeightedMetric:
    suggestions = [
        (suggestion.confidence, suggestion.tag in question.truth, row)
        for row, question in enumerate(judged)
        for suggestion in question.suggested
    ]
    confidences, is_true, rows = np.array(sorted(suggestions)).reshape(-1, 3).T
    rows = rows.astype(np.intp)

    def metric(drawn: Weights) -> float:
        weights = drawn[rows]
        total = float(weights.sum())
        if not total:
            return 0.0
        places = (np.cumsum(weights) - weights / 2) * N_CALIBRATION_BINS / total
        bins = np.minimum(places.astype(np.intp), N_CALIBRATION_BINS - 1)
        gaps = np.bincount(bins, weights * (confidences - is_true), N_CALIBRATION_BINS)
        return float(np.abs(gaps).sum()) / total

    return metric


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
