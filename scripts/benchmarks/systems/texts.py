"""Questions as plain text, for systems other than Etiquette."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lambda_src.tagger.markup import split_body
from lambda_src.tagger.stemmer import stem
from model_build.questions import Question

_WORD = re.compile(r"[^\W_](?:[\w.+#-]*[\w+#])?")


class Fields(NamedTuple):
    """The three fields of a question."""

    title: str
    prose: str
    code: str


def fields(questions: Sequence[Question]) -> list[Fields]:
    """Split each question into title, prose and code."""
    return [Fields(each.title, *split_body(each.body, each.body_format)) for each in questions]


def plain_texts(questions: Sequence[Question]) -> list[str]:
    """Join title, prose and code of each question into one text."""
    return ["\n".join(each) for each in fields(questions)]


def short_texts(questions: Sequence[Question]) -> list[str]:
    """Join title and prose of each question, without its code."""
    return [f"{each.title}\n{each.prose}" for each in fields(questions)]


@dataclass(frozen=True)
class TextTerms:
    """A scikit-learn analyzer: stemmed words and word pairs of title and prose."""

    title_weight: int
    """How many times each term of the title counts."""

    def __call__(self, question: Fields) -> list[str]:
        """Return the terms of a question."""
        return stemmed_terms(question.title) * self.title_weight + stemmed_terms(question.prose)


def code_words(question: Fields) -> list[str]:
    """Return the stemmed words of a question's code."""
    return stemmed_terms(question.code, with_pairs=False)


def stemmed_terms(text: str, *, with_pairs: bool = True) -> list[str]:
    """Return the stemmed words of a text, followed by the pairs of adjacent words."""
    words = [stem(word) for word in _WORD.findall(text.lower())]
    return words + [" ".join(pair) for pair in pairwise(words)] if with_pairs else words
