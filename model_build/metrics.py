"""Compute the metrics of a model from its predictions and the true tags."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from lambda_src.tagger import Suggestion

N_CALIBRATION_BINS = 15
SELECTED_SHARE = 0.65
"""``selective_precision_at_1`` is computed on this share of the questions."""


class JudgedQuestion(NamedTuple):
    """The prediction for one question, with the question's true tags."""

    truth: frozenset[str]
    """All tags of the question, also those that the model does not know."""
    ranked: Sequence[Suggestion]
    """The most likely tags, best first, whether or not they are suggested."""
    suggested: Sequence[Suggestion]
    """Best first; empty if the model suggests nothing."""


def compute_metrics(
    judged: Sequence[JudgedQuestion], model_tags: Collection[str]
) -> dict[str, float]:
    """Compute all metrics.

    Parameters
    ----------
    judged : sequence of JudgedQuestion
    model_tags : collection of str
        The tags that the model can suggest.

    Returns
    -------
    dict of str to float
        ``sample_*`` are means over questions. ``macro_f1`` is a mean over those tags of the model
        that are a true tag of a question. ``precision_at_1`` and ``recall_at_5`` judge the ranking
        before the floor. ``prediction_rate`` is the share of questions with suggestions, among
        those with a true tag that the model knows. ``ece`` is the expected calibration error
        (Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using
        Bayesian binning") in 15 bins of equal mass. ``selective_precision_at_1`` is
        ``precision_at_1`` of the 65 % of questions whose best tag has the highest confidence.
        ``coverage`` is the share of true tags that the model knows.
    """
    known_tags = set(model_tags)
    return {
        "coverage": _mean([tag in known_tags for question in judged for tag in question.truth]),
        **_set_metrics(judged, known_tags),
        **_ranking_metrics(judged),
        "prediction_rate": _mean(
            [bool(question.suggested) for question in judged if question.truth & known_tags]
        ),
        "ece": expected_calibration_error(judged),
    }


def _set_metrics(judged: Sequence[JudgedQuestion], known_tags: set[str]) -> dict[str, float]:
    jaccards, f1s = [], []
    hits, suggested, true = Counter[str](), Counter[str](), Counter[str]()
    for question in judged:
        chosen = {suggestion.tag for suggestion in question.suggested}
        right = chosen & question.truth
        jaccards.append(len(right) / len(chosen | question.truth))
        f1s.append(2 * len(right) / (len(chosen) + len(question.truth)))
        hits.update(right)
        suggested.update(chosen)
        true.update(question.truth)
    n_hits, n_suggested, n_true = hits.total(), suggested.total(), true.total()
    per_tag = [2 * hits[tag] / (suggested[tag] + true[tag]) for tag in known_tags & true.keys()]
    return {
        "sample_jaccard": _mean(jaccards),
        "sample_f1": _mean(f1s),
        "micro_jaccard": _ratio(n_hits, n_suggested + n_true - n_hits),
        "micro_f1": _ratio(2 * n_hits, n_suggested + n_true),
        "macro_f1": _mean(sorted(per_tag)),
    }


def _ranking_metrics(judged: Sequence[JudgedQuestion]) -> dict[str, float]:
    first_right = [
        bool(question.ranked) and question.ranked[0].tag in question.truth for question in judged
    ]
    recalls = [
        sum(suggestion.tag in question.truth for suggestion in question.ranked[:5])
        / len(question.truth)
        for question in judged
    ]
    tops = [question.ranked[0].confidence if question.ranked else 0.0 for question in judged]
    selected = np.argsort(-np.array(tops), kind="stable")[: round(SELECTED_SHARE * len(judged))]
    return {
        "precision_at_1": _mean(first_right),
        "recall_at_5": _mean(recalls),
        "selective_precision_at_1": _mean([first_right[place] for place in selected]),
    }


def expected_calibration_error(judged: Sequence[JudgedQuestion]) -> float:
    """Compute the mean distance between confidence and precision, over the calibration bins."""
    bins = calibration_bins(judged)
    total = sum(count for _, _, count in bins)
    gaps = sum(count * abs(confidence - precision) for confidence, precision, count in bins)
    return _ratio(gaps, total)


def calibration_error_by_chance(judged: Sequence[JudgedQuestion], draws: int = 200) -> float:
    """Compute the mean calibration error of a model whose confidences are exactly right.

    It is not 0: of the few suggestions in a bin, more or fewer are right by chance. Only what is
    above it speaks against the confidences. For each draw, a suggestion is right with the
    probability that is its confidence, independently of the others.
    """
    confidences = np.sort(
        [suggestion.confidence for question in judged for suggestion in question.suggested]
    )
    if not len(confidences):
        return 0.0
    right = np.random.default_rng(0).random((draws, len(confidences))) < confidences
    bins = np.array_split(np.arange(len(confidences)), N_CALIBRATION_BINS)
    surplus = [(right[:, part] - confidences[part]).sum(axis=1) for part in bins if len(part)]
    return float(np.abs(surplus).sum(axis=0).mean() / len(confidences))


def calibration_bins(judged: Sequence[JudgedQuestion]) -> list[tuple[float, float, int]]:
    """Put suggestions into bins of equal size by their confidence, lowest first.

    Returns
    -------
    list of (float, float, int)
        Mean confidence, precision and number of suggestions of each bin.
    """
    pairs = sorted(
        (suggestion.confidence, suggestion.tag in question.truth)
        for question in judged
        for suggestion in question.suggested
    )
    bins = []
    for part in np.array_split(np.arange(len(pairs)), N_CALIBRATION_BINS):
        if len(part):
            members = [pairs[place] for place in part]
            mean_confidence = _mean([confidence for confidence, _ in members])
            precision = _mean([is_true for _, is_true in members])
            bins.append((mean_confidence, precision, len(members)))
    return bins


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
