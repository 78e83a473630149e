"""Compare the answers of two models to the same questions."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import norm

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
    """Of the hypothesis that F1 falls by no more than the margin, after Holm's correction."""


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
    champion: Sequence[Tags], challenger: Sequence[Tags], truths: Sequence[Tags], *, margin: float
) -> list[TagTest]:
    """Test for each large tag whether the challenger is worse by more than a margin.

    Two trainings on nearly the same corpus differ a little at every tag. The hypothesis is
    therefore that the F1 falls by no more than the margin. The test is a z-test of the paired
    difference, whose standard error comes from the influence of each question on the two F1 values
    (the delta method for ratios; Casella and Berger 2002, "Statistical Inference", section 5.5.4).
    The p-values are corrected for the number of tags (Holm 1979, "A simple sequentially rejective
    multiple test procedure").

    Parameters
    ----------
    champion, challenger : sequence of frozenset of str
        What the models suggest for each question.
    truths : sequence of frozenset of str
        The true tags of each question.
    margin : float
        The fall of F1 that does not count.

    Returns
    -------
    list of TagTest
        Smallest p-value first.
    """
    uses = Counter(tag for truth in truths for tag in truth)
    large = sorted(tag for tag, count in uses.items() if count >= LARGE_TAG_USES)
    figures = {}
    for tag in large:
        true = _marks(tag, truths)
        before, influence_before = _f1(_marks(tag, champion), true)
        after, influence_after = _f1(_marks(tag, challenger), true)
        error = float(np.std(influence_after - influence_before)) / np.sqrt(len(true))
        excess = after - before + margin
        # Without an error, both models give the same answers about this tag.
        p_value = float(norm.cdf(excess / error)) if error else float(excess >= 0)
        figures[tag] = (before, after, p_value)
    adjusted = holm({tag: p_value for tag, (_, _, p_value) in figures.items()})
    return [
        TagTest(tag, uses[tag], *figures[tag][:2], p_value)
        for tag, p_value in sorted(adjusted.items(), key=lambda item: (item[1], item[0]))
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


def _marks(tag: str, sets: Sequence[Tags]) -> Floats:
    return np.array([tag in tags for tags in sets], dtype=np.float64)


def _f1(suggested: Floats, true: Floats) -> tuple[float, Floats]:
    """Compute an F1, and the influence of each question on it; shape (n_questions,)."""
    hits, total = suggested * true, suggested + true
    f1 = 2 * float(hits.sum() / total.sum())
    return f1, (2 * hits - f1 * total) / float(total.mean())


def card_of(difference: Difference, margin: float) -> dict[str, Any]:
    """Describe a difference; can be written as JSON."""
    return {
        "difference": round(difference.mean, 5),
        "lower_bound": round(difference.low, 5),
        "upper_bound": round(difference.high, 5),
        "margin": margin,
    }
