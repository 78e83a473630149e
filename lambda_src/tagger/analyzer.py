"""From a question to the words of its three fields: the one analyzer of training and serving."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from lambda_src.tagger.markup import BodyFormat, split_body

# One pass: a word with its inner . - _ ' and with the signs that technical names end in.
_WORD = re.compile(r"\.net\b|[^\W_]+(?:[._'\u2019\-]+[^\W_]+)*+(?:\+\+|\#)?")
_PART = re.compile(r"[._\-]+")
# Addresses name no topic, and e-mail addresses have no business in a vocabulary.
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|(?<!\S)[^\s@]++@\S+")
_MAX_WORD = 40


class FieldWords(NamedTuple):
    """The words of one field, stemmed and in lower case."""

    sequence: list[str]
    """Whole words in reading order: neighbours make word pairs."""
    parts: list[str]
    """Parts of compound words (``asp`` of ``asp.net-mvc``), which make no pairs."""


class QuestionWords(NamedTuple):
    """The words of a question, field by field."""

    title: FieldWords
    prose: FieldWords
    code: FieldWords


FIELDS = QuestionWords._fields


def analyze(title: str, body: str = "", body_format: BodyFormat = "auto") -> QuestionWords:
    """Turn a question into words.

    Parameters
    ----------
    title, body : str
        Either may be empty.
    body_format : {"auto", "html", "markdown"}
        See `lambda_src.tagger.markup.split_body`.

    Examples
    --------
    >>> analyze("Merging C++ maps in ASP.NET-MVC?").title
    FieldWords(sequence=['merg', 'c++', 'map', 'in', 'asp.net-mvc'], parts=['asp', 'net', 'mvc'])
    """
    prose, code = split_body(body, body_format)
    return QuestionWords(_words(title), _words(prose), _words(code))


def terms(words: FieldWords) -> list[str]:
    """List a field's terms: words, parts of compound words, and pairs of neighbouring words.

    Returns
    -------
    list of str
        A word, or two words with a space between them, as often as they occur.
    """
    sequence = words.sequence
    pairs = [f"{first} {second}" for first, second in pairwise(sequence)]
    return sequence + words.parts + pairs


def _words(text: str) -> FieldWords:
    sequence: list[str] = []
    parts: list[str] = []
    for raw in _WORD.findall(_ADDRESS.sub(" ", text.lower())):
        whole, inner = _forms(raw)
        if whole:
            sequence.append(whole)
        parts.extend(inner)
    return FieldWords(sequence, parts)


@lru_cache(maxsize=50_000)
def _forms(raw: str) -> tuple[str, tuple[str, ...]]:
    """Give a word as it is looked up, and its parts where it is a compound one."""
    word = raw.replace("\u2019", "'").removesuffix("'s")
    parts = tuple(stem(part) for part in _PART.split(word) if 0 < len(part) <= _MAX_WORD)
    whole = stem(word) if len(word) <= _MAX_WORD else ""
    return whole, parts if len(parts) > 1 else ()


def stem(word: str) -> str:
    """Strip plural and verb endings from an English word; leave names with signs or digits alone.

    A light stemmer in the sense of Harman (1991), "How effective is suffixing?": it joins the
    forms that a tag's name takes in sentences and risks little else.

    Examples
    --------
    >>> [stem(word) for word in ("queries", "merging", "classes", "stopped", "utf-8", "css")]
    ['query', 'merg', 'class', 'stop', 'utf-8', 'css']
    """
    if len(word) < 4 or not word.isalpha():
        return word
    if word[-1] == "s":
        word = _singular(word)
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and any(vowel in base for vowel in "aeiouy"):
            doubled = base[-1] == base[-2] and base[-1] not in "lsz"
            word = base[:-1] if doubled else base
            break
    return word[:-1] if len(word) > 3 and word[-1] == "e" else word


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word if word[-2] in "sui" else word[:-1]
