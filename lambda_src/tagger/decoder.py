"""Choose the set of tags that is expected to match the true set best."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final

# Gauss and Legendre's rule of five points, from [-1, 1] to [0, 1]: Abramowitz and Stegun (1964),
# "Handbook of Mathematical Functions", 25.4.29. A test compares it to the exact sum.
_INNER, _OUTER = (sqrt(5 - 2 * sqrt(10 / 7)) / 6, sqrt(5 + 2 * sqrt(10 / 7)) / 6)
_HEAVY, _LIGHT = ((322 + 13 * sqrt(70)) / 1800, (322 - 13 * sqrt(70)) / 1800)
_RULE: Final = (
    (0.5 - _OUTER, _LIGHT),
    (0.5 - _INNER, _HEAVY),
    (0.5, 64 / 225),
    (0.5 + _INNER, _HEAVY),
    (0.5 + _OUTER, _LIGHT),
)
_FACTORS: Final = tuple((point, weight, 1 / point, 1 - 1 / point) for point, weight in _RULE)


def expected_jaccards(
    confidences: Sequence[float], other_tags: float, max_tags: int
) -> list[float]:
    """Expected Jaccard index of the first 1, 2, ... candidates with a question's true tags.

    Tags are taken as independent, so that the best set of each size is its likeliest tags. With
    ``h`` the expected hits of the ``k`` first and ``O`` the number of true tags outside, the
    expected index is ``h E[1 / (k + O)]``. That mean is the integral of ``t^(k - 1) E[t^O]`` from 0
    to 1, and ``E[t^O]`` is a product: ``1 - p + p t`` for each candidate outside that could still
    be chosen, and that of a Poisson distribution for the unlikely rest. The inference of Waegeman
    et al. (2014), "On the Bayes-optimality of F-measure maximizers", carried over to the Jaccard
    index, with the sum over counts as an integral.

    Parameters
    ----------
    confidences : sequence of float
        Calibrated, descending: all candidates, also those that will not be chosen.
    other_tags : float
        Expected number of true tags that are not among the candidates.
    max_tags : int

    Returns
    -------
    list of float
        One for each size up to `max_tags`, or up to the number of candidates.
    """
    head = confidences[:max_tags]
    mean = sum(confidences[max_tags:]) + other_tags
    means = [0.0] * len(head)
    backwards = range(len(head) - 1, -1, -1)
    for point, weight, inverse, slope in _FACTORS:
        # For smaller sets one candidate more is outside, and one power less of the point.
        outside = weight * exp(mean * (point - 1)) * point ** (len(head) - 1)
        for place in backwards:
            means[place] += outside
            outside *= inverse + head[place] * slope
    hits = 0.0
    expected = []
    for confidence, of_size in zip(head, means, strict=True):
        hits += confidence
        expected.append(hits * of_size)
    return expected


def best_size(confidences: Sequence[float], other_tags: float, max_tags: int) -> int:
    """How many of the first candidates to suggest; see `expected_jaccards`."""
    expected = expected_jaccards(confidences, other_tags, max_tags)
    return expected.index(max(expected)) + 1 if expected else 0
