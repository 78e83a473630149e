"""Compare the answers of two models to the same questions."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import binom

from lambda_src.tagger import TagModel
from lambda_src.tagger.vocabulary import Floats
from model_build.intervals import bootstrap_interval
from model_build.questions import Question

LEVEL: Final = 0.95
"""The confidence of each bound, and of all tests of large tags together."""
LARGE_TAG_USES: Final = 200
"""A tag with so many uses in the questions of the gate is tested by itself."""
_DRAWS: Final = 2_000

Tags = frozenset[str]


class Difference(NamedTuple):
    """The mean paired difference, challenger less champion, and its one-sided bounds."""

    mean: float
    low: float
    """The true difference is larger with a probability of 95 %."""
    high: float
    """The true difference is smaller with a probability of 95 %."""


class TagTest(NamedTuple):
    """Whether a challenger is worse at one tag."""

    tag: str
    uses: int
    champion_f1: float
    challenger_f1: float
    p_value: float
    """Of the hypothesis that the challenger is not worse, after Holm's correction."""


def suggested_tags(model: TagModel, questions: Sequence[Question]) -> list[Tags]:
    """Return what a model suggests for each question."""
    return [
        frozenset(
            tag
            for tag, _ in model.suggest(
                each.title, each.body, body_format=each.body_format
            ).suggestions
        )
        for each in questions
    ]


def sample_jaccards(suggested: Sequence[Tags], truths: Sequence[Tags]) -> Floats:
    """Compute the Jaccard index of each question; shape (n_questions,)."""
    return np.array(
        [
            len(tags & truth) / len(tags | truth)
            for tags, truth in zip(suggested, truths, strict=True)
        ]
    )


def mean_difference(champion: Floats, challenger: Floats, *, draws: int = _DRAWS) -> Difference:
    """Compute the mean difference with one-sided 95 % bounds, by a paired bootstrap.

    Parameters
    ----------
    champion, challenger : ndarray of float64, shape (n_questions,)
        A measure of each question; see `sample_jaccards`.
    draws : int
    """
    difference = challenger - champion
    # The ends of a two-sided 90 % interval are one-sided 95 % bounds.
    low, high = bootstrap_interval(
        lambda drawn: float(drawn @ difference) / len(difference),
        len(difference),
        draws=draws,
        level=2 * LEVEL - 1,
    )
    return Difference(float(difference.mean()), low, high)


def large_tag_tests(
    champion: Sequence[Tags], challenger: Sequence[Tags], truths: Sequence[Tags]
) -> list[TagTest]:
    """Test for each large tag whether the challenger is worse, smallest p-value first.

    A model is right about a tag and a question if it suggests the tag exactly when the question has
    it. The test is McNemar's in its exact form: of the questions that only one model is right
    about, the challenger's share has a binomial distribution (McNemar 1947, "Note on the sampling
    error of the difference between correlated proportions or percentages"). The p-values are
    corrected for the number of tags (Holm 1979, "A simple sequentially rejective multiple test
    procedure").

    Parameters
    ----------
    champion, challenger : sequence of frozenset of str
        What the models suggest for each question.
    truths : sequence of frozenset of str
        The true tags of each question.
    """
    uses = Counter(tag for truth in truths for tag in truth)
    large = sorted(tag for tag, count in uses.items() if count >= LARGE_TAG_USES)
    wins = {tag: [0, 0] for tag in large}
    known = set(large)
    for first, second, truth in zip(champion, challenger, truths, strict=True):
        # Where both suggest a tag or neither does, both are right or both are wrong.
        for tag in (first ^ second) & known:
            champion_is_right = (tag in first) == (tag in truth)
            wins[tag][0 if champion_is_right else 1] += 1
    raw = {
        # P(X >= champion's wins) if each model wins with the same probability.
        tag: float(binom.sf(of_champion - 1, of_champion + of_challenger, 0.5))
        for tag, (of_champion, of_challenger) in wins.items()
    }
    adjusted = holm(raw)
    return [
        TagTest(tag, uses[tag], _f1(tag, champion, truths), _f1(tag, challenger, truths), p)
        for tag, p in sorted(adjusted.items(), key=lambda item: (item[1], item[0]))
    ]


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """Correct p-values for their number.

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p))
        corrected[name] = largest
    return corrected


def _f1(tag: str, suggested: Sequence[Tags], truths: Sequence[Tags]) -> float:
    pairs = [(tag in tags, tag in truth) for tags, truth in zip(suggested, truths, strict=True)]
    hits, total = sum(one and other for one, other in pairs), sum(map(sum, pairs))
    return 2 * hits / total


def card_of(difference: Difference, margin: float) -> dict[str, Any]:
    """Describe a difference; can be written as JSON."""
    return {
        "difference": round(difference.mean, 5),
        "lower_bound": round(difference.low, 5),
        "upper_bound": round(difference.high, 5),
        "margin": margin,
    }
