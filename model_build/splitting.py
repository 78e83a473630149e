"""Split a corpus into parts, with all near-duplicates of a question in the same part."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from model_build.duplicates import group_duplicates
from model_build.errors import UserError
from model_build.kinds import Kind
from model_build.questions import Question

PARTS: Final = ("train", "validation", "test")
SPLIT_FACTS = "split.json"
"""The name of the file, in the folder of the parts, that describes the split."""
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
    _check(shares)
    groups = group_duplicates(questions)
    order = _by_time(questions, groups) if is_dated(questions) else _at_random(groups, seed)
    part_of = _assign(order, Counter(groups), shares)
    parts: list[list[Question]] = [[] for _ in shares]
    for question, group in zip(questions, groups, strict=True):
        parts[part_of[group]].append(question)
    return parts


class KindSplit(NamedTuple):
    """A corpus whose kinds of question have held-out parts of their own."""

    train: list[Question]
    """All kinds, and questions without a kind."""
    validation: dict[str, list[Question]]
    """By the names of the kinds."""
    test: dict[str, list[Question]]
    """By the names of the kinds."""
    left_out: list[Question]
    """Questions without a kind that are near-duplicates of held-out ones."""


def split_by_kind(
    questions: Sequence[Question],
    kinds: Sequence[Kind | None],
    shares: Sequence[float],
    seed: int,
) -> KindSplit:
    """Hold questions of each kind out at random; see `model_build.kinds`.

    Near-duplicates stay together, whatever their kinds are. Questions without a kind are trained
    on, unless they are near-duplicates of held-out ones.

    Parameters
    ----------
    questions : sequence of Question
    kinds : sequence of (Kind or None)
        The kind of each question.
    shares : sequence of float
        The shares of train, validation and test, for kinds that have none of their own.
    seed : int

    Raises
    ------
    SharesError
        Shares are negative or do not sum to 1.
    """
    _check(shares)
    groups = group_duplicates(questions)
    named = dict.fromkeys(kind for kind in kinds if kind is not None)
    part_of: dict[int, int] = {}
    for kind in named:
        shares_of_kind = shares if kind.shares is None else kind.shares
        _check(shares_of_kind)
        sizes = Counter(
            group for group, its_kind in zip(groups, kinds, strict=True) if its_kind == kind
        )
        # A group with several kinds gets its part from the first one.
        open_groups = {group: n for group, n in sizes.items() if group not in part_of}
        part_of |= _assign(_at_random(open_groups, seed), open_groups, shares_of_kind)
    found = KindSplit([], {kind.name: [] for kind in named}, {kind.name: [] for kind in named}, [])
    for question, its_kind, group in zip(questions, kinds, groups, strict=True):
        part = PARTS[part_of.get(group, 0)]
        if part == "train":
            found.train.append(question)
        elif its_kind is None:
            found.left_out.append(question)
        else:
            held_out = found.validation if part == "validation" else found.test
            held_out[its_kind.name].append(question)
    return found


def _check(shares: Sequence[float]) -> None:
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise SharesError(f"The shares {list(shares)} must not be negative, and must sum to 1.")


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
    fold_of = _assign(_at_random(groups, seed), Counter(groups), [1 / n_folds] * n_folds)
    return [fold_of[group] for group in groups]


def _at_random(groups: Iterable[int], seed: int) -> list[int]:
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


def _assign(
    order: Sequence[int], sizes: Mapping[int, int], shares: Sequence[float]
) -> dict[int, int]:
    """Fill the parts with groups, in their order, until each part has its share of questions."""
    n_questions = sum(sizes.values())
    bounds = [sum(shares[: part + 1]) * n_questions for part in range(len(shares))]
    bounds[-1] = float("inf")
    part_of: dict[int, int] = {}
    part = assigned = 0
    for group in order:
        while assigned >= bounds[part]:
            part += 1
        part_of[group] = part
        assigned += sizes[group]
    return part_of
