"""Choose the set of tags that is expected to match the true set best."""

from collections.abc import Sequence
from math import exp
from operator import mul

_MOST_OTHERS = 6
"""A question has at most five tags: so many may be outside the candidates that could be chosen."""


def expected_jaccards(
    confidences: Sequence[float], other_tags: float, max_tags: int
) -> list[float]:
    """Expected Jaccard index of the first 1, 2, ... candidates with a question's true tags.

    Tags are taken as independent, so that the best set of each size is its likeliest tags. With
    ``h`` the expected hits of the ``k`` first and ``O`` the number of true tags outside, the
    expected index is ``h E[1 / (k + O)]``. ``O`` is counted exactly for the candidates that could
    still be chosen, and as Poisson distributed for the unlikely rest: the inference of Waegeman et
    al. (2014), "On the Bayes-optimality of F-measure maximizers", carried over to the Jaccard
    index.

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
    others = [exp(-mean)]
    for count in range(1, _MOST_OTHERS):
        others.append(others[-1] * mean / count)
    hits = sum(head)
    expected = []
    for size in range(len(head), 0, -1):
        confidence = head[size - 1]
        shares = [1 / count for count in range(size, size + len(others))]
        expected.append(hits * sum(map(mul, others, shares)))
        hits -= confidence
        # For smaller sets this candidate is outside.
        absent = 1 - confidence
        others.append(0.0)
        for count in range(len(others) - 1, 0, -1):
            others[count] = others[count] * absent + others[count - 1] * confidence
        others[0] *= absent
    return expected[::-1]


def best_size(confidences: Sequence[float], other_tags: float, max_tags: int) -> int:
    """How many of the first candidates to suggest; see `expected_jaccards`."""
    expected = expected_jaccards(confidences, other_tags, max_tags)
    return max(range(len(expected)), key=expected.__getitem__) + 1 if expected else 0
