"""Part a corpus so that no question is judged by a model that has seen it, or one like it."""

import random
from collections.abc import Sequence
from datetime import datetime

from model_build.duplicates import group_duplicates
from model_build.questions import Question

SPLIT_FACTS = "split.json"
"""The file, beside the parts, that says how they were made."""
DATED_SHARE = 0.9
"""Where at least this share of the questions has a date, the split is ordered by time."""


def is_dated(questions: Sequence[Question]) -> bool:
    """Whether enough questions have dates for a split that is ordered by time."""
    dated = sum(question.creation_date is not None for question in questions)
    return dated >= DATED_SHARE * len(questions)


def split(
    questions: Sequence[Question], shares: Sequence[float], seed: int
) -> list[list[Question]]:
    """Part questions: by time, oldest first, where they have dates, and else at random.

    Near-duplicates stay together.

    Parameters
    ----------
    questions : sequence of Question
    shares : sequence of float
        The parts' shares of the questions; they sum to 1.
    seed : int
        For a random split.

    Returns
    -------
    list of list of Question
        As many as there are shares, each in the corpus's order.
    """
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise ValueError(f"the shares {list(shares)} do not sum to 1")
    groups = group_duplicates(questions)
    order = _by_time(questions, groups) if is_dated(questions) else _at_random(groups, seed)
    part_of = _deal(order, groups, shares)
    parts: list[list[Question]] = [[] for _ in shares]
    for question, group in zip(questions, groups, strict=True):
        parts[part_of[group]].append(question)
    return parts


def fold_numbers(questions: Sequence[Question], n_folds: int, seed: int) -> list[int]:
    """Number each question's fold, from 0, at random; near-duplicates are in the same one."""
    groups = group_duplicates(questions)
    fold_of = _deal(_at_random(groups, seed), groups, [1 / n_folds] * n_folds)
    return [fold_of[group] for group in groups]


def _at_random(groups: Sequence[int], seed: int) -> list[int]:
    order = sorted(set(groups))
    random.Random(seed).shuffle(order)  # noqa: S311 (a split, no secret)
    return order


def _by_time(questions: Sequence[Question], groups: Sequence[int]) -> list[int]:
    # A group belongs where its last question does, so that the oldest part knows nothing of later.
    latest: dict[int, datetime] = {}
    for question, group in zip(questions, groups, strict=True):
        date = question.creation_date or datetime.min
        latest[group] = max(latest.get(group, date), date)
    return sorted(latest, key=lambda group: (latest[group], group))


def _deal(order: Sequence[int], groups: Sequence[int], shares: Sequence[float]) -> dict[int, int]:
    """Give groups, in their order, to parts until each part has its share of questions."""
    sizes: dict[int, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    bounds = [sum(shares[: part + 1]) * len(groups) for part in range(len(shares))]
    bounds[-1] = float("inf")
    part_of: dict[int, int] = {}
    part = dealt = 0
    for group in order:
        while dealt >= bounds[part]:
            part += 1
        part_of[group] = part
        dealt += sizes[group]
    return part_of
