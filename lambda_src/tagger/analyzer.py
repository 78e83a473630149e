"""From a question to the words of its three fields: the one analyzer of training and serving."""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from lambda_src.tagger.markup import BodyFormat, split_body
from lambda_src.tagger.rules import (
    ADDRESS,
    MAX_TOKENS_PER_FIELD,
    MAX_WORD_LENGTH,
    SECRET,
    WORD,
    WORD_PART_SEPARATORS,
)

# What no word holds, among the first 128 characters, parts words as a space does.
_PARTING = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "._'-+#")}


class QuestionTokens(NamedTuple):
    """The words of a question's fields as they stand there, in lower case."""

    title: list[str]
    prose: list[str]
    code: list[str]


class NormalizedToken(NamedTuple):
    """What a word is looked up as."""

    whole: str
    """Stemmed; neighbouring whole words make pairs. Empty where the word is too long to be one."""
    parts: tuple[str, ...]
    """Of a compound word (``asp``, ``net`` and ``mvc`` of ``asp.net-mvc``); they make no pairs."""


class Fields(NamedTuple):
    """A question's texts, in lower case and without addresses."""

    title: str
    prose: str
    code: str


class QuestionPieces(NamedTuple):
    """A question's fields in pieces, with most of its punctuation left out, in lower case.

    The words of a field are those of its pieces: few pieces are not one word just as it stands, so
    that they can be looked up, and remembered, without looking for words in them.
    """

    title: list[str]
    prose: list[str]
    code: list[str]


def tokenize(
    title: str, body: str = "", body_format: BodyFormat = "auto", *, unlimited: bool = False
) -> QuestionTokens:
    """Find the words of a question.

    Parameters
    ----------
    title, body : str
        Either may be empty.
    body_format : {"auto", "html", "markdown", "text"}
        See `lambda_src.tagger.markup.split_body`.
    unlimited : bool
        True for all words of a field, not only as far as the model reads.

    Examples
    --------
    >>> tokenize("Merging C++ maps in ASP.NET-MVC?").title
    ['merging', 'c++', 'maps', 'in', 'asp.net-mvc']
    """
    question = fields_of(title, body, body_format)
    if unlimited:
        return QuestionTokens(*map(words_in, question))
    return QuestionTokens(*[words_in(" ".join(of_field)) for of_field in cut(question)])


def fields_of(title: str, body: str = "", body_format: BodyFormat = "auto") -> Fields:
    """Part a question; the parameters are those of `tokenize`."""
    prose, code = split_body(body, body_format) if body else ("", "")
    return Fields(_without_addresses(title), _without_addresses(prose), _without_addresses(code))


def cut(question: Fields) -> QuestionPieces:
    """Cut a question where no word goes on: `words_in` its pieces are what `tokenize` finds.

    Examples
    --------
    >>> cut(fields_of("Merging C++ maps (in ASP.NET-MVC)?")).title
    ['merging', 'c++', 'maps', 'in', 'asp.net-mvc']
    """
    pieces = [field.translate(_PARTING).split(None, MAX_TOKENS_PER_FIELD) for field in question]
    return QuestionPieces(*[of_field[:MAX_TOKENS_PER_FIELD] for of_field in pieces])


def words_in(text: str) -> list[str]:
    """Find the words of a text in lower case."""
    return WORD.findall(text)


def _without_addresses(text: str) -> str:
    text = text.lower()
    if "@" in text or "://" in text or "www." in text:
        text = ADDRESS.sub(" ", text)
    return text


def normalize(token: str) -> NormalizedToken:
    """Give a token as it is looked up, and its parts where it is a compound word.

    Examples
    --------
    >>> normalize("node.js")
    NormalizedToken(whole='node.js', parts=('nod', 'js'))
    """
    if token.isalpha():  # as most are: what follows would say the same, later
        return NormalizedToken(stem(token) if len(token) <= MAX_WORD_LENGTH else "", ())
    word = token.replace("\u2019", "'").removesuffix("'s")
    parts = tuple(stem(part) for part in WORD_PART_SEPARATORS.split(word) if _is_word(part))
    return NormalizedToken(stem(word) if _is_word(word) else "", parts if len(parts) > 1 else ())


def _is_word(text: str) -> bool:
    return 0 < len(text) <= MAX_WORD_LENGTH and not SECRET.fullmatch(text)


# For training, which meets each word many times and no hostile ones.
_cached_normalize = lru_cache(maxsize=200_000)(normalize)


def words(tokens: list[str]) -> list[str]:
    """List the words of a field, parts of compound words among them, as often as they occur."""
    found = [_cached_normalize(token) for token in tokens]
    return [each.whole for each in found if each.whole] + [p for each in found for p in each.parts]


def pairs(tokens: list[str]) -> list[str]:
    """List the pairs of neighbouring words of a field, with a space between the two."""
    wholes = [_cached_normalize(token).whole for token in tokens]
    return [f"{first} {second}" for first, second in pairwise(wholes) if first and second]


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
