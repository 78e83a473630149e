"""Questions of made-up words, in any number, for tests that need a corpus and no sense."""

import random
from datetime import datetime, timedelta

from model_build.questions import Question

_FIRST_DAY = datetime(2024, 1, 1)


def invent(n_questions: int, n_tags: int, *, seed: int = 0) -> list[Question]:
    """Make up questions, one an hour from 2024 on, whose words speak for their tags.

    Parameters
    ----------
    n_questions
        How many.
    n_tags
        How many tags there are. Each question has one to three of them.
    seed
        Of everything random.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    tags = [f"topic-{number}" for number in range(n_tags)]
    questions = []
    for number in range(n_questions):
        chosen = chance.sample(tags, chance.randint(1, 3))
        words = [f"{_word(tag)}{chance.randrange(6)}" for tag in chosen for _ in range(6)]
        words += [f"common{chance.randrange(200)}" for _ in range(20)]
        chance.shuffle(words)
        questions.append(
            Question(
                title=" ".join(["how", "does", *(_word(tag) for tag in chosen[:2]), *words[:3]]),
                body=f"<p>{' '.join(words)}</p>",
                tags=tuple(chosen),
                id=number + 1,
                site="invented",
                creation_date=_FIRST_DAY + timedelta(hours=number),
            )
        )
    return questions


def _word(tag: str) -> str:
    """The word of a tag, which is not its name: names have a feature of their own."""
    return tag.replace("topic-", "subject")
