"""Choose the set of tags that is expected to match the true tags best."""

from collections.abc import Sequence
from math import exp
from typing import Final, NamedTuple

from lambda_src.tagger.rules import (
    FEW_TOPIC_WORDS,
    MIN_FEW_WORDS_JACCARD,
    MIN_KNOWN_SHARE,
    MIN_TAG_CONFIDENCE,
    MIN_UNFAMILIAR_JACCARD,
    QUADRATURE,
)

_POINTS: Final = tuple(
    (point, weight, 1 - point, 1 / point, (1 - point) / point) for point, weight in QUADRATURE
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
    """Choose how many candidates to suggest; see `expected_jaccards` and `best_set`."""
    return best_set(confidences, expected_jaccards(confidences, other_tags, max_tags))


def best_set(confidences: Sequence[float], jaccards: Sequence[float]) -> TagSet:
    """Choose the set with the highest expected Jaccard index.

    A set with a tag whose confidence is below `MIN_TAG_CONFIDENCE` is never chosen.

    Parameters
    ----------
    confidences : sequence of float
        Of the candidates, in descending order.
    jaccards : sequence of float
        The expected Jaccard index of the first 1, 2, ... candidates; see `expected_jaccards`.
    """
    size, best = 0, 0.0
    for place, jaccard in enumerate(jaccards):
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
