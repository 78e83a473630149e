"""Choose the set of tags that is expected to match the true tags best."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final, NamedTuple

from lambda_src.tagger.rules import (
    FEW_TOPIC_WORDS,
    MIN_FEW_WORDS_JACCARD,
    MIN_KNOWN_SHARE,
    MIN_TAG_CONFIDENCE,
    MIN_UNFAMILIAR_JACCARD,
)

# The Gauss-Legendre rule of five points, moved from [-1, 1] to [0, 1]: Abramowitz and Stegun
# (1964), "Handbook of Mathematical Functions", 25.4.29.
_INNER, _OUTER = (sqrt(5 - 2 * sqrt(10 / 7)) / 6, sqrt(5 + 2 * sqrt(10 / 7)) / 6)
_HEAVY, _LIGHT = ((322 + 13 * sqrt(70)) / 1800, (322 - 13 * sqrt(70)) / 1800)
_POINTS: Final = tuple(
    (point, weight, 1 - point, 1 / point, (1 - point) / point)
    for point, weight in (
        (0.5 - _OUTER, _LIGHT),
        (0.5 - _INNER, _HEAVY),
        (0.5, 64 / 225),
        (0.5 + _INNER, _HEAVY),
        (0.5 + _OUTER, _LIGHT),
    )
)
"""Each point with its weight and what `expected_jaccards` computes with it."""


def expected_jaccards(
    confidences: Sequence[float], other_tags: float, max_tags: int
) -> list[float]:
    """Compute the expected Jaccard index of the first 1, 2, ... candidates and the true tags.

    The tags are assumed to be independent, so the best set of each size is its most likely tags.
    Let ``k`` be the size of the set, ``h`` the expected number of its tags that are true, and ``O``
    the number of true tags outside the set. Then the expected index is ``h E[1 / (k + O)]``. This
    mean is the integral of ``t^(k - 1) E[t^O]`` over ``t`` from 0 to 1. ``E[t^O]`` is a product: a
    factor ``1 - p (1 - t)`` for each of the first `max_tags` candidates outside the set, with ``p``
    its confidence, and the factor of a Poisson distribution for all other tags. The method is that
    of Waegeman et al. (2014), "On the Bayes-optimality of F-measure maximizers", applied to the
    Jaccard index, with an integral in place of the sum over counts.

    Parameters
    ----------
    confidences : sequence of float
        Calibrated, in descending order: of all candidates, not only of those that can be chosen.
    other_tags : float
        The expected number of true tags that are not among the candidates.
    max_tags : int
        The size of the largest set.

    Returns
    -------
    list of float
        One for each size from 1 to `max_tags`, or to the number of candidates if that is smaller.
    """
    choices = confidences[:max_tags]
    poisson_mean = sum(confidences[max_tags:]) + other_tags
    means = [0.0] * len(choices)
    largest_first = range(len(choices) - 1, -1, -1)
    for point, weight, beyond, growth, loss in _POINTS:
        integrand = weight * exp(-poisson_mean * beyond) * point ** (len(choices) - 1)
        for last in largest_first:
            means[last] += integrand
            # The next set is smaller by one tag: that tag is outside now, and k is smaller by 1.
            integrand *= growth - choices[last] * loss
    hits = 0.0
    expected = []
    for confidence, mean in zip(choices, means, strict=True):
        hits += confidence
        expected.append(hits * mean)
    return expected


class TagSet(NamedTuple):
    """The set of tags to suggest: the first candidates."""

    size: int
    """How many of the first candidates are in it."""
    expected_jaccard: float
    """The expected Jaccard index of the set and the true tags."""


def choose_tags(confidences: Sequence[float], other_tags: float, max_tags: int) -> TagSet:
    """Choose how many of the first candidates to suggest.

    The set has the highest expected Jaccard index among those without a tag whose confidence is
    below `MIN_TAG_CONFIDENCE`. See `expected_jaccards` for the parameters.
    """
    size, best = 0, 0.0
    for place, jaccard in enumerate(expected_jaccards(confidences, other_tags, max_tags)):
        if confidences[place] < MIN_TAG_CONFIDENCE:
            break
        if jaccard > best:
            size, best = place + 1, jaccard
    return TagSet(size, best)


def min_expected_jaccard(known_share: float, n_topic_words: int, floor: float) -> float:
    """Give the expected Jaccard index below which nothing is suggested.

    Parameters
    ----------
    known_share : float
        The share of the question's words that the model knows.
    n_topic_words : int
        See `lambda_src.tagger.evidence.Evidence`.
    floor : float
        The limit of the model for questions that are familiar.
    """
    if known_share < MIN_KNOWN_SHARE:
        return MIN_UNFAMILIAR_JACCARD
    return max(floor, MIN_FEW_WORDS_JACCARD) if n_topic_words <= FEW_TOPIC_WORDS else floor
