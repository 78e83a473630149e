"""The figures that a model is judged by, from its predictions and the true tags."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from lambda_src.tagger import Suggestion

N_CALIBRATION_BINS = 15
SELECTED_SHARE = 0.65


class Judged(NamedTuple):
    """One question's prediction beside its truth."""

    truth: frozenset[str]
    """All tags of the question, also those that the model has never seen."""
    ranked: Sequence[Suggestion]
    """Best first, before the floor."""
    suggested: Sequence[Suggestion]


def figures(judged: Sequence[Judged], model_tags: Collection[str]) -> dict[str, float]:
    """Compute all figures.

    Parameters
    ----------
    judged : sequence of Judged
    model_tags : collection of str
        Tags that the model can suggest.

    Returns
    -------
    dict of str to float
        ``sample_*`` are means over questions. ``macro_f1`` is a mean over the model's tags that
        occur in the truth. ``precision_at_1`` and ``recall_at_5`` judge the ranking before the
        floor. ``prediction_rate`` is the share of questions with suggestions among those with a
        tag that the model knows. ``ece`` is the expected calibration error (Naeini, Cooper and
        Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning") in 15
        bins of equal mass. ``selective_precision_at_1`` is that of the 65 % of questions whose
        best tag is surest. ``coverage`` is the share of true tags that the model knows.
    """
    known_tags = set(model_tags)
    return {
        "coverage": _mean([tag in known_tags for each in judged for tag in each.truth]),
        **_set_figures(judged, known_tags),
        **_ranking_figures(judged),
        "prediction_rate": _mean(
            [bool(each.suggested) for each in judged if each.truth & known_tags]
        ),
        "ece": expected_calibration_error(judged),
    }


def _set_figures(judged: Sequence[Judged], known_tags: set[str]) -> dict[str, float]:
    jaccards, f1s = [], []
    hits, suggested, true = Counter[str](), Counter[str](), Counter[str]()
    for each in judged:
        chosen = {suggestion.tag for suggestion in each.suggested}
        right = chosen & each.truth
        jaccards.append(len(right) / len(chosen | each.truth))
        f1s.append(2 * len(right) / (len(chosen) + len(each.truth)))
        hits.update(right)
        suggested.update(chosen)
        true.update(each.truth)
    n_hits, n_suggested, n_true = hits.total(), suggested.total(), true.total()
    per_tag = [2 * hits[tag] / (suggested[tag] + true[tag]) for tag in known_tags & true.keys()]
    return {
        "sample_jaccard": _mean(jaccards),
        "sample_f1": _mean(f1s),
        "micro_jaccard": _ratio(n_hits, n_suggested + n_true - n_hits),
        "micro_f1": _ratio(2 * n_hits, n_suggested + n_true),
        "macro_f1": _mean(sorted(per_tag)),
    }


def _ranking_figures(judged: Sequence[Judged]) -> dict[str, float]:
    first_right = [bool(each.ranked) and each.ranked[0].tag in each.truth for each in judged]
    recalls = [
        sum(suggestion.tag in each.truth for suggestion in each.ranked[:5]) / len(each.truth)
        for each in judged
    ]
    tops = [each.ranked[0].confidence if each.ranked else 0.0 for each in judged]
    surest = np.argsort(-np.array(tops), kind="stable")[: round(SELECTED_SHARE * len(judged))]
    return {
        "precision_at_1": _mean(first_right),
        "recall_at_5": _mean(recalls),
        "selective_precision_at_1": _mean([first_right[place] for place in surest]),
    }


def expected_calibration_error(judged: Sequence[Judged]) -> float:
    """Mean distance between confidence and precision, over bins of equally many suggestions."""
    bins = calibration_bins(judged)
    total = sum(count for _, _, count in bins)
    return _ratio(sum(count * abs(said - was) for said, was, count in bins), total)


def calibration_bins(judged: Sequence[Judged]) -> list[tuple[float, float, int]]:
    """Give mean confidence, precision and number of suggestions of each bin, least sure first."""
    pairs = sorted(
        (suggestion.confidence, suggestion.tag in each.truth)
        for each in judged
        for suggestion in each.suggested
    )
    bins = []
    for part in np.array_split(np.arange(len(pairs)), N_CALIBRATION_BINS):
        if len(part):
            members = [pairs[place] for place in part]
            said = _mean([confidence for confidence, _ in members])
            bins.append((said, _mean([right for _, right in members]), len(members)))
    return bins


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
