"""Whether a question says enough, in words that the model knows, to suggest anything at all."""

from collections.abc import Callable
from typing import NamedTuple

from lambda_src.tagger.analyzer import normalize
from lambda_src.tagger.rules import FILLER_WORDS
from lambda_src.tagger.vocabulary import QuestionNumbers


class Evidence(NamedTuple):
    """How much of a question's title and prose the model can understand."""

    known_share: float
    """The share of its words that the model knows, from 0 to 1; 1 if it has no words."""
    n_topic_words: int
    """How many of its known words are no fillers, and all words of the code. If no word is, the
    parts of compound words count: ``python_list_sort`` and ``UITableView`` have a topic."""
    n_words: int
    """How many words were read, those of the code included."""
    n_code_words: int
    """How many of those words are in the code."""


def evidence(question: QuestionNumbers, unknown: int, fillers: frozenset[int]) -> Evidence:
    """Judge a question.

    Parameters
    ----------
    question : QuestionNumbers
    unknown : int
        The number that stands for every word that the model does not know.
    fillers : frozenset of int
        See `filler_numbers`.
    """
    numbers = [*question.title.wholes, *question.prose.wholes]
    n_code_words = len(question.code.wholes)
    if not numbers:
        return Evidence(1.0, n_code_words, n_code_words, n_code_words)
    known = [number for number in numbers if number != unknown]
    parts = (*question.title.parts, *question.prose.parts, *question.camel_parts)
    n_topic_words = sum(number not in fillers for number in known)
    n_topic_parts = sum(number not in fillers for number in parts)
    return Evidence(
        len(known) / len(numbers),
        (n_topic_words or n_topic_parts) + n_code_words,
        len(numbers) + n_code_words,
        n_code_words,
    )


def filler_numbers(number_of: Callable[[str], int]) -> frozenset[int]:
    """Give the numbers of the filler words.

    A text of fillers only has no topic, however well the model knows its words.

    Parameters
    ----------
    number_of : callable
        Gives the number of a normalized word.
    """
    return frozenset(number_of(normalize(word).whole) for word in FILLER_WORDS)
