"""Split a corpus into parts, with all near-duplicates of a question in the same part."""

import random
from collections.abc import Sequence
from datetime import datetime

from model_build.duplicates import group_duplicates
from model_build.errors import UserError
from model_build.questions import Question

SPLIT_FACTS = "split.json"
"""The name of the file, next to the parts, that describes the split."""
DATED_SHARE = 0.9
"""If at least this share of the questions has a date, the split is ordered by time."""


class SharesError(UserError):
    """The shares of a split are negative or do not sum to 1."""


def is_dated(questions: Sequence[Question]) -> bool:
    """Whether enough questions have a date to order the split by time."""
    dated = sum(question.creation_date is not None for question in questions)
    return dated >= DATED_SHARE * len(questions)


def split(
    questions: Sequence[Question], shares: Sequence[float], seed: int
) -> list[list[Question]]:
    """Split questions by time, oldest first, or at random if too few have a date.

    Near-duplicates stay together.

    Parameters
    ----------
    questions : sequence of Question
    shares : sequence of float
        The share of the questions in each part.
    seed : int
        For a random split.

    Returns
    -------
    list of list of Question
        One part for each share, each in the order of the corpus.

    Raises
    ------
    SharesError
        The shares are negative or do not sum to 1.
    """
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise SharesError(f"The shares {list(shares)} must not be negative, and must sum to 1.")
    groups = group_duplicates(questions)
    order = _by_time(questions, groups) if is_dated(questions) else _at_random(groups, seed)
    part_of = _assign(order, groups, shares)
    parts: list[list[Question]] = [[] for _ in shares]
    for question, group in zip(questions, groups, strict=True):
        parts[part_of[group]].append(question)
    return parts


def fold_numbers(questions: Sequence[Question], n_folds: int, seed: int) -> list[int]:
    """Assign questions to folds at random, with near-duplicates in the same fold.

    Parameters
    ----------
    questions : sequence of Question
    n_folds, seed : int

    Returns
    -------
    list of int
        The fold of each question, from 0 to ``n_folds - 1``.
    """
    groups = group_duplicates(questions)
    fold_of = _assign(_at_random(groups, seed), groups, [1 / n_folds] * n_folds)
    return [fold_of[group] for group in groups]


def _at_random(groups: Sequence[int], seed: int) -> list[int]:
    order = sorted(set(groups))
    random.Random(seed).shuffle(order)  # noqa: S311 (a split is no secret)
    return order


def _by_time(questions: Sequence[Question], groups: Sequence[int]) -> list[int]:
    # The newest question places its group, so that no question is in a part that is too early.
    latest: dict[int, datetime] = {}
    for question, group in zip(questions, groups, strict=True):
        date = question.creation_date or datetime.min
        latest[group] = max(latest.get(group, date), date)
    return sorted(latest, key=lambda group: (latest[group], group))


def _assign(order: Sequence[int], groups: Sequence[int], shares: Sequence[float]) -> dict[int, int]:
    """Fill the parts with groups, in their order, until each part has its share of questions."""
    sizes: dict[int, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    bounds = [sum(shares[: part + 1]) * len(groups) for part in range(len(shares))]
    bounds[-1] = float("inf")
    part_of: dict[int, int] = {}
    part = assigned = 0
    for group in order:
        while assigned >= bounds[part]:
            part += 1
        part_of[group] = part
        assigned += sizes[group]
    return part_of
