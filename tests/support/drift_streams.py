"""Synthetic predictions and feedback for the tests of drift, from one seed."""

from collections.abc import Sequence

import numpy as np

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.observations import Feedbacks, Predictions
from lambda_src.monitor.drift.rare_tags import RareTags

TAGS = [f"tag-{number}" for number in range(40)]
FIRST_DAY = np.datetime64("2026-01-05", "D")
"""A Monday."""
PREDICTIONS_PER_DAY, FEEDBACKS_PER_DAY = 300, 30


class Site:
    """Draws predictions and feedback. Their distribution changes only where a test asks for it.

    Parameters
    ----------
    seed : int
    calibration : float
        The odds that a suggested tag is true, divided by what its confidence says.
    """

    def __init__(self, seed: int = 0, calibration: float = 1.0) -> None:
        self._random = np.random.default_rng(seed)
        self._calibration = calibration
        self._n_predictions = self._n_feedbacks = 0

    def predictions(self, n: int, *, lift: float = 0.0, first_tag: int = 0) -> Predictions:
        """Draw predictions.

        Parameters
        ----------
        n : int
        lift : float
            Added to the top confidence.
        first_tag : int
            The number of the most common tag.
        """
        random = self._random
        figures = np.column_stack(
            [
                np.clip(random.beta(4, 2, n) + lift, 0, 1),
                np.minimum(1, random.beta(60, 1, n)),
                np.round(random.lognormal(4.5, 0.6, n)),
                np.where(random.random(n) < 0.8, 0.0, random.random(n)),
                random.beta(3, 4, n),
            ]
        )
        numbers = self._n_predictions + np.arange(n)
        self._n_predictions += n
        days = FIRST_DAY + numbers // PREDICTIONS_PER_DAY
        return Predictions(days, figures, self._tags(n, first_tag))

    def feedbacks(self, n: int, *, wrong: float = 0.0, new_tag: float = 0.0) -> Feedbacks:
        """Draw feedback.

        Parameters
        ----------
        n : int
        wrong : float
            The share of questions whose suggested tags are all wrong.
        new_tag : float
            The share of questions with the tag ``brand-new``.
        """
        random = self._random
        tags = self._tags(n, 0)
        confidences = [np.sort(random.uniform(0.3, 0.95, len(each)))[::-1] for each in tags]
        final, unknown = [], []
        for of_one, confident in zip(tags, confidences, strict=True):
            odds = confident / (1 - confident) * self._calibration
            is_true = random.random(len(of_one)) < odds / (1 + odds)
            if random.random() < wrong:
                is_true[:] = False
            others = ["brand-new"] if random.random() < new_tag else []
            if random.random() < 0.3:
                others.append(f"rare-{random.integers(60)}")
            unknown.append(others)
            hits = [tag for tag, hit in zip(of_one, is_true, strict=True) if hit]
            final.append([*hits, *others, "known-but-not-suggested"])
        numbers = self._n_feedbacks + np.arange(n)
        self._n_feedbacks += n
        days = FIRST_DAY + numbers // FEEDBACKS_PER_DAY
        return Feedbacks(days, tags, [each.tolist() for each in confidences], final, unknown)

    def _tags(self, n: int, first_tag: int) -> list[Sequence[str]]:
        random = self._random
        counts = random.integers(0, 4, n)
        ranks = np.minimum(random.geometric(0.12, (n, 3)) - 1, len(TAGS) - 1)
        return [
            list(dict.fromkeys(TAGS[(rank + first_tag) % len(TAGS)] for rank in row[:count]))
            for row, count in zip(ranks.tolist(), counts.tolist(), strict=True)
        ]


def baseline(n: int = 6_000, seed: int = 99) -> Baseline:
    """Make a baseline of a site."""
    # As common as in the feedback.
    rare = {f"rare-{number}": 100 for number in range(60)}
    return Baseline.of(
        Site(seed).predictions(n),
        n_questions=20_000,
        rare_tags=RareTags.of({**rare, "seldom": 3}),
        sample_jaccard=0.25,
    )
