"""From a question to the words of its three fields, for training and for serving."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise
from string import ascii_lowercase
from typing import NamedTuple

from lambda_src.tagger.markup import BodyFormat, split_body
from lambda_src.tagger.rules import (
    AFTER_ASCII,
    BEFORE_ASCII,
    CAMEL_CASE_MARK,
    CAMEL_CASE_PART,
    CHARACTER_CHANGES,
    CHUNK,
    CODE_SIGNAL,
    COMBINING_RUN,
    LETTER_ALONE,
    LETTER_LIST,
    LINE_END,
    LINE_END_NAMES,
    LINE_ENDS,
    LINE_START,
    LINE_START_NAMES,
    LINE_STARTS,
    MAIL_ADDRESS,
    MAIL_SIGN,
    MAX_CHUNKS_PER_FIELD,
    MAX_COMPOUND_LENGTH,
    MAX_FIELD_CHARACTERS,
    MAX_NORMALIZED_GROWTH,
    MAX_SIGNAL_CHARACTERS,
    MAX_TOKENS_PER_FIELD,
    MAX_WORD_LENGTH,
    NO_WORD,
    NOT_ASCII_RUN,
    POSSESSIVE,
    QUALIFIER,
    SECRET,
    STRAY_LETTER,
    UNSPACED,
    WEB_ADDRESS,
    WESTERN,
    WORD,
    WORD_OF_ANY_CASE,
    WORD_PART_SEPARATORS,
)
from lambda_src.tagger.stemmer import stem


class Fields(NamedTuple):
    """The texts of a question's fields, normalized, in lower case and without addresses."""

    title: str
    prose: str
    code: str
    cased_title: str = ""
    """The beginning of the title with its capital letters: normalized and without addresses."""


class QuestionTokens(NamedTuple):
    """The tokens of a question's fields, in lower case and in reading order."""

    title: list[str]
    prose: list[str]
    code: list[str]
    signals: list[str]
    """The operators, brackets and sigils of the code, by their names, in no particular order."""
    capitals: Sequence[str] = ()
    """The ASCII tokens of the title that have a capital letter, in lower case. Empty if all have
    one, or none: such a title does not tell names from other words."""
    camel_parts: Sequence[str] = ()
    """The parts of the title's camelCase words, as `camel_case_parts` writes them."""


class NormalizedToken(NamedTuple):
    """The words under which a token is looked up."""

    whole: str
    """The stemmed token, or an empty string if it is too long or looks like a secret.

    Neighbouring whole words make pairs."""
    parts: tuple[str, ...]
    """The stemmed parts of a compound word: ``asp``, ``net`` and ``mvc`` of ``asp.net-mvc``.

    They make no pairs. Single letters are left out: ``r.id`` names no language."""


def tokenize(
    title: str, body: str = "", body_format: BodyFormat = "auto", *, unlimited: bool = False
) -> QuestionTokens:
    """Find the tokens of a question.

    Parameters
    ----------
    title, body : str
        Either may be empty.
    body_format : {"auto", "html", "markdown", "text"}
        See `lambda_src.tagger.markup.split_body`.
    unlimited : bool
        True to read fields to their ends, beyond `MAX_CHUNKS_PER_FIELD` and `MAX_TOKENS_PER_FIELD`.

    Examples
    --------
    >>> tokenize("Merging C++ maps in ASP.NET-MVC?").title
    ['merging', 'c++', 'maps', 'in', 'asp.net-mvc']
    """
    return tokens_of(fields_of(title, body, body_format, unlimited=unlimited), unlimited=unlimited)


def fields_of(
    title: str, body: str = "", body_format: BodyFormat = "auto", *, unlimited: bool = False
) -> Fields:
    """Split a question into its fields; see `tokenize` for the parameters.

    Without `unlimited`, a long field may end behind everything that a model reads.
    """
    prose, code = split_body(body, body_format) if body else ("", "")
    prepared = _prepared if unlimited else _prepared_beginning
    # A name that is cut off would have other parts.
    first_part = title if len(title) <= _FIRST_PART else title[:_FIRST_PART].rpartition(" ")[0]
    cased = _normalized_text(first_part)
    cased_title = _without_addresses(cased, cased.lower())
    return Fields(prepared(title), prepared(prose), prepared(code), cased_title)


_FIRST_PART = 5_000
"""Almost all fields are shorter than this many characters."""
_PART = 2_500
_READ_CHUNKS = MAX_CHUNKS_PER_FIELD + 2
"""Whether a letter is stray may depend on the chunk behind it."""


def _prepared_beginning(text: str) -> str:
    """Prepare only as much of a long text as is read."""
    if len(text) <= _FIRST_PART:
        return _prepared(text)
    text = _beginning(text)
    prepared = ""
    n_chunks = place = 0
    while place < len(text):
        if n_chunks >= _READ_CHUNKS and len(prepared) >= MAX_SIGNAL_CHARACTERS:
            break
        # A part ends before a space, or in the middle of a word that no person writes.
        end = text.find(" ", place + _PART, place + 2 * _PART)
        end = end if end >= 0 else place + 2 * _PART
        part = _prepared(text[place:end])
        prepared += part
        n_chunks += len(CHUNK.findall(part))
        place = end
    return prepared


def _beginning(text: str) -> str:
    """Cut a text off in front of a space, so that no part of a word is read as a word."""
    if len(text) <= MAX_FIELD_CHARACTERS:
        return text
    spaces = text.rfind(" ", 0, MAX_FIELD_CHARACTERS), text.rfind("\n", 0, MAX_FIELD_CHARACTERS)
    # A word that no person writes is cut off in its middle.
    end = max(spaces) if max(spaces) >= MAX_FIELD_CHARACTERS - _PART else MAX_FIELD_CHARACTERS
    return text[:end]


def _prepared(text: str) -> str:
    lower = _normalized_text(text).lower()
    return _without_addresses(lower, lower)


def tokens_of(question: Fields, *, unlimited: bool = False) -> QuestionTokens:
    """Find the tokens of a question's fields; see `tokenize`."""
    find = words_in if unlimited else _first_words_in
    title, prose = map(without_stray_letters, question[:2])
    return QuestionTokens(
        find(title),
        find(prose),
        find(question.code),
        signals_in(question.code),
        *_cased_tokens_in(question.cased_title),
    )


def without_stray_letters(text: str) -> str:
    r"""Replace the single letters of a text in lower case that are no words.

    Examples
    --------
    >>> without_stray_letters(r"grep -r \n in r, options a) b)")
    'grep -+ \\+ in r, options +) +)'
    >>> without_stray_letters("select r.id from t r in c")
    'select r.id from t + in c'
    """
    variables = {*QUALIFIER.findall(text)}
    text = LETTER_LIST.sub(lambda letters: _ONE_LETTER.sub(NO_WORD, letters[0]), text)
    text = STRAY_LETTER.sub(NO_WORD, text)
    if not variables:
        return text
    return LETTER_ALONE.sub(lambda each: NO_WORD if each[0] in variables else each[0], text)


def signals_in(code: str) -> list[str]:
    r"""Find the operators, brackets and sigils of a code in lower case, by their names.

    Examples
    --------
    >>> signals_in("#include <a>\nx = y;")
    ['#', '=', ';', '^#', '>$', ';$']
    """
    code = code[:MAX_SIGNAL_CHARACTERS]
    return [
        *CODE_SIGNAL.findall(code),
        *map(_LINE_START_NAME.__getitem__, LINE_START.findall(code)),
        *map(_LINE_END_NAME.__getitem__, LINE_END.findall(code)),
    ]


_ONE_LETTER = re.compile(r"\b[a-z]\b")
_LETTERS = re.compile(r"[A-Za-z]+")
_LINE_START_NAME = dict(zip(LINE_STARTS, LINE_START_NAMES, strict=True))
_LINE_END_NAME = dict(zip(LINE_ENDS, LINE_END_NAMES, strict=True))


def speaks_as_text(word: str) -> bool:
    """Whether a word in code also counts as the word that it is in prose.

    A single letter does not: in code, it is the name of a variable.
    """
    return len(word) > 1 or not word.isascii()


def ascii_words_in(cased_text: str) -> list[str]:
    """Find the tokens of a text that are ASCII, as they are written."""
    return [word for word in WORD_OF_ANY_CASE.findall(cased_text) if word.isascii()]


def _cased_tokens_in(cased_title: str) -> tuple[list[str], list[str]]:
    """List the capitals and the camel parts of a title; see `QuestionTokens`."""
    found = ascii_words_in(cased_title)
    with_capital = [word for word in found if word != word.lower()]
    capitals = [word.lower() for word in with_capital]
    return (
        capitals if any(word.islower() for word in found) else [],
        [part for word in with_capital for part in camel_case_parts(word)],
    )


def camel_case_parts(word: str) -> list[str]:
    """Split a word in camelCase, as names in code are written, into its stemmed parts.

    They say something about a name that the model does not know. A word has no such parts if it is
    not in camelCase, is very long, or looks like a secret.

    Parameters
    ----------
    word : str
        ASCII.

    Examples
    --------
    >>> camel_case_parts("UITableViews")
    ['~ui', '~tabl', '~view']
    """
    if len(word) > MAX_COMPOUND_LENGTH or SECRET.fullmatch(word):
        return []
    runs = (CAMEL_CASE_PART.findall(run) for run in _LETTERS.findall(word))
    return [
        f"{CAMEL_CASE_MARK}{stem(part.lower())}"
        for parts in runs
        if len(parts) > 1
        for part in parts
        if len(part) <= MAX_WORD_LENGTH
    ]


def words_in(text: str) -> list[str]:
    """Find the tokens of a text in lower case, however many they are."""
    return WORD.findall(text)


def _first_words_in(text: str) -> list[str]:
    chunks = islice(CHUNK.finditer(text), MAX_CHUNKS_PER_FIELD)
    return words_in(" ".join(chunk[0] for chunk in chunks))[:MAX_TOKENS_PER_FIELD]


def _normalized_text(text: str) -> str:
    """Write the same characters the same way: NFKC, without what nobody sees."""
    if text.isascii():
        return text
    western = _normalized_western_text(text)
    if western is not None:
        return western
    pieces = NOT_ASCII_RUN.split(text)
    if any(unicodedata.combining(run[0]) for run in {*pieces[1::2]}):
        pieces = COMBINING_RUN.split(text)
    # Dense texts have the same runs again and again.
    normalized = {run: _normalized_run(run) for run in {*pieces[1::2]}}
    pieces[1::2] = map(normalized.__getitem__, pieces[1::2])
    text = "".join(pieces)
    if not UNSPACED.search(text):
        return text
    text = re.sub(AFTER_ASCII, lambda letter: f" {letter[0]}", text)
    return re.sub(BEFORE_ASCII, lambda letter: f"{letter[0]} ", text)


_CHARACTER_CHANGES = str.maketrans(CHARACTER_CHANGES)


@lru_cache(maxsize=10_000)
def _normalized_run(run: str) -> str:
    run = run.translate(_CHARACTER_CHANGES)
    normalized = unicodedata.normalize("NFKC", run)
    return normalized if len(normalized) <= MAX_NORMALIZED_GROWTH * len(run) else run


def _western_changes() -> tuple[bytes, bytes, bytes]:
    """Make the table of `WESTERN`, the bytes that it deletes, and those that it cannot change."""
    table, deleted, others = bytearray(range(256)), bytearray(), bytearray()
    for byte in range(128, 256):
        try:
            changed = _normalized_run(bytes([byte]).decode(WESTERN)).encode(WESTERN)
        except UnicodeError:
            others.append(byte)
            continue
        if not changed:
            deleted.append(byte)
        elif len(changed) == 1:
            table[byte] = changed[0]
        else:
            others.append(byte)
    return bytes(table), bytes(deleted), bytes(others)


_WESTERN_TABLE, _WESTERN_DELETED, _WESTERN_OTHERS = _western_changes()


def _normalized_western_text(text: str) -> str | None:
    """Normalize a text by single bytes; None if that is not possible."""
    try:
        data = text.encode(WESTERN)
    except UnicodeEncodeError:
        return None
    if len(data.translate(None, _WESTERN_OTHERS)) < len(data):
        return None
    return data.translate(_WESTERN_TABLE, _WESTERN_DELETED).decode(WESTERN)


def _without_addresses(text: str, lower: str) -> str:
    """Remove addresses from a text, which also comes in lower case."""
    # The search for addresses is slow, and most texts have none.
    if "@" in text and MAIL_SIGN.search(text):
        text = MAIL_ADDRESS.sub(" ", text)
    return WEB_ADDRESS.sub(" ", text) if "://" in text or "www." in lower else text


def normalize(token: str) -> NormalizedToken:
    """Turn a token into the words under which it is looked up.

    Examples
    --------
    >>> normalize("node.js")
    NormalizedToken(whole='node.js', parts=('nod', 'js'))
    """
    return _cached_normalize(token) if len(token) <= MAX_WORD_LENGTH else _normalize(token)


def _normalize(token: str) -> NormalizedToken:
    word = token.removesuffix(POSSESSIVE)
    if len(word) > MAX_COMPOUND_LENGTH:
        return NormalizedToken("", ())
    found = WORD_PART_SEPARATORS.split(word)
    stems = {part: stem(part) for part in found if _is_word(part)}
    parts = [part for part in found if part in stems]
    named = [stems[part] for part in parts if len(part) > 1 or part not in ascii_lowercase]
    return NormalizedToken(
        whole=stem(word) if _is_word(word) else "",
        parts=tuple(named) if len(parts) > 1 else (),
    )


# Training normalizes the same tokens many times. Long tokens are not cached, so that a hostile
# client cannot fill the memory with them.
_cached_normalize = lru_cache(maxsize=100_000)(_normalize)


def _is_word(text: str) -> bool:
    return 0 < len(text) <= MAX_WORD_LENGTH and not SECRET.fullmatch(text)


def words(tokens: list[str]) -> list[str]:
    """List the words of a field with repeats: whole words first, then parts of compound words."""
    normalized = [normalize(token) for token in tokens]
    wholes = [each.whole for each in normalized if each.whole]
    return wholes + [part for each in normalized for part in each.parts]


def pairs(tokens: list[str]) -> list[str]:
    """List the pairs of neighbouring words of a field, with a space between the two words."""
    wholes = [normalize(token).whole for token in tokens]
    return [f"{first} {second}" for first, second in pairwise(wholes) if first and second]
