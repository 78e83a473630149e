"""Questions that teach the names of tags which the corpus hardly uses.

Tag sets know many tags that are too new or too rare for the questions with a text. For each such
tag, some questions of the corpus are read a second time with the name of the tag in their title.
So the regressions learn the name, and which tags come with it: ``pydantic`` speaks for ``python``.
A question is taken only if it has another tag of the same tag set. These are pseudo-questions with
a label by distant supervision: see Mintz et al. (2009), "Distant supervision for relation extraction
without labeled data".
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lambda_src.tagger.analyzer import QuestionTokens
from model_build.questions import Question
from model_build.tag_sets import TagSet

MIN_NAME_USES: Final = 10
"""A name with fewer uses in the tag sets is not taught."""
PER_NAME: Final = 5
"""How many questions teach a name that does not become a tag of the model."""
PER_TAG: Final = 20
"""How many questions teach a name that becomes a tag of the model."""
_WHOLE_NAME_SHARE: Final = 0.3
"""How often a name is written as one word, with its hyphens."""
_KNOWN_PART_SHARE: Final = 0.5
"""How often a part of a name is written that is a tag by itself: ``rust`` in ``rust-tokio``."""


@dataclass(frozen=True)
class NamedQuestion:
    """A question of the corpus with one more name in its title."""

    row: int
    """The row of the question in the corpus."""
    question: Question
    """The question of the corpus, with the named tag among its tags."""
    tokens: QuestionTokens
    """Of the title with the name. It has neither prose nor code."""


def named_questions(
    questions: Sequence[Question],
    tokens: Sequence[QuestionTokens],
    tag_sets: Iterable[TagSet],
    *,
    known: frozenset[str],
    learned: frozenset[str],
    synonyms: Mapping[str, str],
    seed: int,
) -> list[NamedQuestion]:
    """Make questions for the names that tag sets know and the corpus does not.

    Parameters
    ----------
    questions : sequence of Question
    tokens : sequence of QuestionTokens
        Of the same questions.
    tag_sets : iterable of TagSet
        Of other questions.
    known : frozenset of str
        The tags that the questions teach by themselves.
    learned : frozenset of str
        The other tags of the model.
    synonyms : mapping of str to str
        Each synonym with the tag that it stands for.
    seed : int
    """
    rng = np.random.default_rng([seed, len(questions)])
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, question in enumerate(questions):
        if question.judged_tags is None:
            for tag in known.intersection(question.tags):
                rows_of[tag].append(row)
    spellings: dict[str, list[str]] = defaultdict(list)
    for synonym, tag in synonyms.items():
        spellings[tag].append(synonym)
    made = []
    for tag, companions in sorted(_companions(tag_sets, rows_of, synonyms).items()):
        if len(companions) < MIN_NAME_USES:
            continue
        n_questions = PER_TAG if tag in learned else PER_NAME
        for place in rng.permutation(len(companions))[:n_questions].tolist():
            rows = rows_of[companions[place]]
            row = rows[int(rng.integers(len(rows)))]
            names = [tag, *spellings[tag]]
            words = _words_of(names[int(rng.integers(len(names)))], known, rng)
            question = questions[row]
            tags = tuple(dict.fromkeys((*question.tags, tag)))
            made.append(
                NamedQuestion(row, replace(question, tags=tags), _named(tokens[row], words, rng))
            )
    return made


def uses_of(tag_sets: Iterable[TagSet], synonyms: Mapping[str, str]) -> Counter[str]:
    """Count how many tag sets have each tag, or a synonym of it."""
    return Counter(tag for each in tag_sets for tag in _main_tags(each, synonyms))


def _companions(
    tag_sets: Iterable[TagSet], rows_of: Mapping[str, list[int]], synonyms: Mapping[str, str]
) -> dict[str, list[str]]:
    """Give each unknown tag the rarest known tag of each of its sets, if the set has one."""
    companions = defaultdict(list)
    for each in tag_sets:
        tags = _main_tags(each, synonyms)
        known = [tag for tag in tags if tag in rows_of]
        if known and len(known) < len(tags):
            rarest = min(known, key=lambda tag: len(rows_of[tag]))
            for tag in tags:
                if tag not in rows_of:
                    companions[tag].append(rarest)
    return companions


def _main_tags(tag_set: TagSet, synonyms: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(synonyms.get(tag, tag) for tag in tag_set.tags))


def _words_of(name: str, known: frozenset[str], rng: np.random.Generator) -> list[str]:
    """Write a name as an asker might."""
    if rng.random() < _WHOLE_NAME_SHARE:
        return [name]
    parts = [part for part in name.split("-") if part]
    written = [part for part in parts if part not in known or rng.random() < _KNOWN_PART_SHARE]
    return written or [name]


def _named(
    tokens: QuestionTokens, words: Sequence[str], rng: np.random.Generator
) -> QuestionTokens:
    place = int(rng.integers(len(tokens.title) + 1))
    title = [*tokens.title[:place], *words, *tokens.title[place:]]
    return QuestionTokens(title, [], [], [])
