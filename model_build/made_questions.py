"""Questions that are made for what those of the corpus do not teach.

The title of a question of the corpus gets one more name or word, at a random place:

- The name of a tag that the corpus hardly uses and tag sets know. So the regressions learn the
  name, and which tags come with it: ``pydantic`` speaks for python. A question is taken only if it
  has another tag of the same tag set. Such labels are the distant supervision of Mintz et al.
  (2009), "Distant supervision for relation extraction without labeled data".
- A word of a tag that the question does not have. Most words have another meaning ("swift", "rust",
  "oracle"), which few questions of a corpus show. A few made questions for each tag say that the
  word alone is no proof and that its neighbours count. This smooths what a few questions say, as
  additive smoothing does: Manning, Raghavan and Schütze (2008), "Introduction to Information
  Retrieval", section 13.2.

Other made questions are code and titles that somebody wrote as examples; see `model_build.taught`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lambda_src.tagger.analyzer import QuestionTokens, normalize, tokenize, words_in
from model_build.questions import Question
from model_build.tag_sets import TagSet
from model_build.taught import CodeExample, TitleExample

MIN_NAME_USES: Final = 8
"""A name with fewer uses in the tag sets is not taught."""
PER_NAME: Final = 12
"""How many questions teach a name that does not become a tag of the model."""
PER_TAG: Final = 20
"""How many questions teach a name that becomes a tag of the model."""
_WHOLE_NAME_SHARE: Final = 0.3
"""How often a name is written as one word, with its hyphens."""
_KNOWN_PART_SHARE: Final = 0.5
"""How often a part of a name is written that is a tag by itself: ``rust`` in ``rust-tokio``."""
MAX_MISLEADING_SHARE: Final = 0.5
"""A tag has no more misleading questions than this many for each question with the tag."""
_MIN_TITLES_SHARE: Final = 0.05
_MIN_PRECISION: Final = 0.25
_MIN_TITLES: Final = 3
"""A word belongs to a tag if this many titles and this share of the titles with the tag have it,
and if this share of the titles with the word have the tag."""
_WORDS_PER_TAG: Final = 2
PER_TITLE_EXAMPLE: Final = 3
"""How many questions are made of a title: words that fewer questions have are no terms."""
_CAPITAL_SHARE: Final = 0.3
"""How often added words have a capital letter. A word with another meaning has none, mostly."""


@dataclass(frozen=True)
class MadeQuestion:
    """A question of the corpus with more words in its title, or an example."""

    row: int
    """The row of the question in the corpus. The made question is in the same fold."""
    question: Question
    """The question of the corpus, with the tags of the made one."""
    tokens: QuestionTokens
    """Of the title with the added words, or of an example."""
    added: QuestionTokens
    """Of the added words or the example alone."""


def named_questions(
    questions: Sequence[Question],
    tokens: Sequence[QuestionTokens],
    tag_sets: Iterable[TagSet],
    *,
    known: frozenset[str],
    learned: frozenset[str],
    synonyms: Mapping[str, str],
    seed: int,
) -> list[MadeQuestion]:
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
            named = replace(question, tags=tuple(dict.fromkeys((*question.tags, tag))))
            made.append(_made(row, named, tokens[row], words, rng))
    return made


def misleading_questions(
    questions: Sequence[Question],
    tokens: Sequence[QuestionTokens],
    *,
    tags: Sequence[str],
    per_tag: int,
    seed: int,
) -> list[MadeQuestion]:
    """Make questions with a word of a tag that they do not have.

    Parameters
    ----------
    questions : sequence of Question
    tokens : sequence of QuestionTokens
        Of the same questions.
    tags : sequence of str
    per_tag : int
        How many to make for each tag. A rare tag gets fewer: see `MAX_MISLEADING_SHARE`.
    seed : int
    """
    rng = np.random.default_rng([seed, len(questions)])
    complete = [row for row, question in enumerate(questions) if question.judged_tags is None]
    uses = Counter(tag for row in complete for tag in questions[row].tags)
    words = words_of_tags([questions[row] for row in complete], [tokens[row] for row in complete])
    made = []
    for tag in tags:
        of_tag = words.get(tag, [])
        n_questions = min(per_tag, int(MAX_MISLEADING_SHARE * uses[tag]))
        for _ in range(n_questions if of_tag else 0):
            row = complete[int(rng.integers(len(complete)))]
            word = of_tag[int(rng.integers(len(of_tag)))]
            if tag not in questions[row].tags:
                made.append(_made(row, questions[row], tokens[row], [word], rng))
    return made


def code_questions(examples: Sequence[CodeExample], n_questions: int) -> list[MadeQuestion]:
    """Make questions that are only code: each example, and its first and its second half.

    Parameters
    ----------
    examples : sequence of CodeExample
    n_questions : int
        How many questions the corpus has. All three questions of an example are in the fold of the
        same one.
    """
    made = []
    for place, example in enumerate(examples):
        lines = example.code.splitlines()
        middle = len(lines) // 2
        for part in (lines, lines[:middle], lines[middle:]):
            tokens = tokenize("", f"```\n{chr(10).join(part)}\n```", "markdown")
            question = Question("", "", example.tags)
            made.append(MadeQuestion(place % n_questions, question, tokens, tokens))
    return made


def title_questions(examples: Sequence[TitleExample], n_questions: int) -> list[MadeQuestion]:
    """Make `PER_TITLE_EXAMPLE` equal questions of each title.

    Parameters
    ----------
    examples : sequence of TitleExample
    n_questions : int
        How many questions the corpus has. All questions of an example are in the fold of the same
        one.
    """
    made = []
    for place, example in enumerate(examples):
        tokens = tokenize(example.title)
        question = Question(example.title, "", example.tags)
        made += [MadeQuestion(place % n_questions, question, tokens, tokens)] * PER_TITLE_EXAMPLE
    return made


def words_of_tags(
    questions: Sequence[Question], tokens: Sequence[QuestionTokens]
) -> dict[str, list[str]]:
    """Find the normalized words that are common in the titles of a tag and rare elsewhere.

    Parameters
    ----------
    questions : sequence of Question
    tokens : sequence of QuestionTokens
        Of the same questions.
    """
    n_titles: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    n_together: dict[str, Counter[str]] = defaultdict(Counter)
    for question, each in zip(questions, tokens, strict=True):
        words = sorted({normalize(token).whole for token in each.title} - {""})
        n_titles.update(words)
        uses.update(question.tags)
        for tag in question.tags:
            n_together[tag].update(words)
    found = {}
    for tag, counts in n_together.items():
        least = max(_MIN_TITLES, _MIN_TITLES_SHARE * uses[tag])
        found[tag] = [
            word
            for word, count in counts.most_common()
            if count >= least and count >= _MIN_PRECISION * n_titles[word]
        ][:_WORDS_PER_TAG]
    return found


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
        return words_in(name)
    parts = [part for part in name.split("-") if part]
    written = [part for part in parts if part not in known or rng.random() < _KNOWN_PART_SHARE]
    return [word for part in written or parts for word in words_in(part)]


def _made(
    row: int,
    question: Question,
    tokens: QuestionTokens,
    words: Sequence[str],
    rng: np.random.Generator,
) -> MadeQuestion:
    """Put words into a title, at a random place."""
    place = int(rng.integers(len(tokens.title) + 1))
    title = [*tokens.title[:place], *words, *tokens.title[place:]]
    has_capital = rng.random() < _CAPITAL_SHARE
    capitals = [*tokens.capitals, *(words if tokens.capitals and has_capital else ())]
    return MadeQuestion(
        row,
        question,
        QuestionTokens(title, [], [], [], capitals, tokens.camel_parts),
        QuestionTokens([*words], [], [], []),
    )
