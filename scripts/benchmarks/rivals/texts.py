"""Questions as other systems take them: text without markup."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lambda_src.tagger.analyzer import stem
from lambda_src.tagger.markup import split_body
from model_build.questions import Question

_WORD = re.compile(r"[^\W_](?:[\w.+#-]*[\w+#])?")


class Fields(NamedTuple):
    """A question's three texts."""

    title: str
    prose: str
    code: str


def fields(questions: Sequence[Question]) -> list[Fields]:
    """Part each question's code from its prose."""
    return [Fields(each.title, *split_body(each.body, each.body_format)) for each in questions]


def plain_texts(questions: Sequence[Question]) -> list[str]:
    """Title, prose and code of each question as one text."""
    return ["\n".join(each) for each in fields(questions)]


def short_texts(questions: Sequence[Question]) -> list[str]:
    """Title and prose of each question, without its code."""
    return [f"{each.title}\n{each.prose}" for each in fields(questions)]


@dataclass(frozen=True)
class TextTerms:
    """A scikit-learn analyzer: the stemmed words and pairs of title and prose."""

    title_weight: int
    """How many times those of the title count."""

    def __call__(self, question: Fields) -> list[str]:
        """List the terms of a question."""
        return stemmed_terms(question.title) * self.title_weight + stemmed_terms(question.prose)


def code_words(question: Fields) -> list[str]:
    """List the stemmed words of a question's code."""
    return stemmed_terms(question.code, with_pairs=False)


def stemmed_terms(text: str, *, with_pairs: bool = True) -> list[str]:
    """List a text's stemmed words and, after them, the pairs of neighbouring ones."""
    words = [stem(word) for word in _WORD.findall(text.lower())]
    return words + [" ".join(pair) for pair in pairwise(words)] if with_pairs else words
