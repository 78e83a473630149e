"""Part a corpus so that no question is judged by a model that has seen it."""

import random
import re
from collections.abc import Sequence

from model_build.questions import Question

_NOT_WORD = re.compile(r"\W+")


def split(
    questions: Sequence[Question], shares: Sequence[float], seed: int
) -> list[list[Question]]:
    """Part questions at random; those with the same title always stay together.

    Parameters
    ----------
    questions : sequence of Question
    shares : sequence of float
        The parts' shares of the questions; they sum to 1.
    seed : int

    Returns
    -------
    list of list of Question
        As many as there are shares, each in the corpus's order.
    """
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise ValueError(f"the shares {list(shares)} do not sum to 1")
    titles = [_NOT_WORD.sub(" ", question.title.lower()).strip() for question in questions]
    shuffled = sorted(set(titles))
    random.Random(seed).shuffle(shuffled)  # noqa: S311 (a split, no secret)
    part_of, start, bound = {}, 0, 0.0
    for part, share in enumerate(shares):
        bound += share
        end = len(shuffled) if part == len(shares) - 1 else round(bound * len(shuffled))
        part_of.update(dict.fromkeys(shuffled[start:end], part))
        start = end
    parts: list[list[Question]] = [[] for _ in shares]
    for question, title in zip(questions, titles, strict=True):
        parts[part_of[title]].append(question)
    return parts
