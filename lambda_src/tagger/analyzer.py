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
    ADDRESS,
    CHARACTER_CHANGES,
    CHUNK,
    CODE_SIGNAL,
    COMBINING_RUN,
    DOUBLED_IN_STEMS,
    ES_PLURALS,
    LETTER_LIST,
    LINE_END,
    LINE_END_NAMES,
    LINE_ENDS,
    LINE_START,
    LINE_START_NAMES,
    LINE_STARTS,
    MAX_NORMALIZED_GROWTH,
    MAX_SIGNAL_CHARACTERS,
    MAX_TOKENS_PER_FIELD,
    MAX_WORD_LENGTH,
    MIN_STEMMED_LENGTH,
    MIN_VERB_BASE,
    MIN_Y_PLURAL_LENGTH,
    NO_PLURAL_BEFORE_S,
    NO_WORD,
    NOT_ASCII_RUN,
    POSSESSIVE,
    RARE_CHARACTER,
    SCRIPT_CHANGE,
    SECRET,
    SILENT_ENDING,
    STRAY_LETTER,
    TYPOGRAPHIC_APOSTROPHE,
    VERB_ENDINGS,
    VOWELS,
    WORD,
    WORD_OF_ANY_CASE,
    WORD_PART_SEPARATORS,
    Y_PLURAL,
)


class Fields(NamedTuple):
    """The texts of a question's fields, normalized, in lower case and without addresses."""

    title: str
    prose: str
    code: str
    capitals: str = ""
    """The words of the title that have a capital letter, in lower case: ASCII, with a space between
    two of them. Empty if all words have one, or none: such a title does not tell names from other
    words."""


class QuestionTokens(NamedTuple):
    """The tokens of a question's fields, in lower case and in reading order."""

    title: list[str]
    prose: list[str]
    code: list[str]
    signals: list[str]
    """The operators, brackets and sigils of the code, by their names, in no particular order."""
    capitals: Sequence[str] = ()
    """The tokens of the title that have a capital letter; see `Fields.capitals`."""


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
        True to read fields to their ends, beyond `MAX_TOKENS_PER_FIELD`.

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
    return Fields(prepared(title), prepared(prose), prepared(code), _capitals_in(title))


_FIRST_PART = 5_000
"""Almost all fields are shorter than this many characters."""
_READ_CHUNKS = MAX_TOKENS_PER_FIELD + 2
"""Whether a letter is stray may depend on the chunk behind it."""


def _prepared_beginning(text: str) -> str:
    """Prepare only as much of a long text as is read. A part of it ends before a space."""
    size = _FIRST_PART
    while size < len(text) and (end := text.find(" ", size)) >= 0:
        part = _prepared(text[:end])
        chunks = islice(CHUNK.finditer(part), _READ_CHUNKS - 1, None)
        if len(part) >= MAX_SIGNAL_CHARACTERS and next(chunks, None):
            return part
        size *= 4
    return _prepared(text)


def _prepared(text: str) -> str:
    return _without_addresses(_normalized_text(text).lower())


def tokens_of(question: Fields, *, unlimited: bool = False) -> QuestionTokens:
    """Find the tokens of a question's fields; see `tokenize`."""
    max_chunks = None if unlimited else MAX_TOKENS_PER_FIELD
    title, prose = map(without_stray_letters, question[:2])
    return QuestionTokens(
        _tokens_in(title, max_chunks),
        _tokens_in(prose, max_chunks),
        _tokens_in(question.code, max_chunks),
        signals_in(question.code),
        _tokens_in(question.capitals, MAX_TOKENS_PER_FIELD),
    )


def without_stray_letters(text: str) -> str:
    r"""Replace the single letters of a text in lower case that are no words.

    Examples
    --------
    >>> without_stray_letters(r"grep -r \n in r, options a) b)")
    'grep -+ \\+ in r, options +) +)'
    """
    text = LETTER_LIST.sub(lambda letters: _ONE_LETTER.sub(NO_WORD, letters[0]), text)
    return STRAY_LETTER.sub(NO_WORD, text)


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
_LINE_START_NAME = dict(zip(LINE_STARTS, LINE_START_NAMES, strict=True))
_LINE_END_NAME = dict(zip(LINE_ENDS, LINE_END_NAMES, strict=True))


def speaks_as_text(word: str) -> bool:
    """Whether a word in code also counts as the word that it is in prose.

    A single letter does not: in code, it is the name of a variable.
    """
    return len(word) > 1 or not word.isascii()


def _capitals_in(title: str) -> str:
    """List the words of a title that have a capital letter; see `Fields.capitals`."""
    text = _without_addresses(_normalized_text(title[:_FIRST_PART]))
    capitals = []
    has_other = False
    for word in WORD_OF_ANY_CASE.findall(text):
        lower = word.lower()
        if not word.isascii():
            continue
        if lower != word:
            capitals.append(lower)
        elif not has_other:
            has_other = word.islower()
    return " ".join(capitals) if has_other else ""


def words_in(text: str) -> list[str]:
    """Find the tokens of a text in lower case, however many they are."""
    return WORD.findall(text)


def _tokens_in(text: str, max_chunks: int | None) -> list[str]:
    chunks = islice(CHUNK.finditer(text), max_chunks)
    return words_in(" ".join(chunk[0] for chunk in chunks))


def _normalized_text(text: str) -> str:
    """Write the same characters the same way: NFKC, without what nobody sees."""
    if text.isascii():
        return text
    if not RARE_CHARACTER.search(text):
        return NOT_ASCII_RUN.sub(_normalized_match, text)
    return SCRIPT_CHANGE.sub(" ", COMBINING_RUN.sub(_normalized_match, text))


_CHARACTER_CHANGES = str.maketrans(CHARACTER_CHANGES)


def _normalized_match(match: re.Match[str]) -> str:
    return _normalized_run(match[0])


@lru_cache(maxsize=10_000)
def _normalized_run(run: str) -> str:
    run = run.translate(_CHARACTER_CHANGES)
    normalized = unicodedata.normalize("NFKC", run)
    return normalized if len(normalized) <= MAX_NORMALIZED_GROWTH * len(run) else run


def _without_addresses(text: str) -> str:
    # The search for addresses is slow, and most texts have none.
    may_have_addresses = "@" in text or "://" in text or "www." in text
    return ADDRESS.sub(" ", text) if may_have_addresses else text


def normalize(token: str) -> NormalizedToken:
    """Turn a token into the words under which it is looked up.

    Examples
    --------
    >>> normalize("node.js")
    NormalizedToken(whole='node.js', parts=('nod', 'js'))
    """
    return _cached_normalize(token) if len(token) <= MAX_WORD_LENGTH else _normalize(token)


def _normalize(token: str) -> NormalizedToken:
    word = token.replace(TYPOGRAPHIC_APOSTROPHE, "'").removesuffix(POSSESSIVE)
    found = WORD_PART_SEPARATORS.split(word)
    # A long token may have one part thousands of times.
    stems = {part: stem(part) for part in dict.fromkeys(found) if _is_word(part)}
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


def stem(word: str) -> str:
    """Strip plural and verb endings from an English word; keep words with signs or digits.

    This is a light stemmer in the sense of Harman (1991), "How effective is suffixing?": it joins
    the forms that a tag's name has in sentences and risks little else.

    Examples
    --------
    >>> [stem(word) for word in ("queries", "merging", "classes", "stopped", "utf-8", "css")]
    ['query', 'merg', 'class', 'stop', 'utf-8', 'css']
    """
    if len(word) < MIN_STEMMED_LENGTH or not word.isalpha():
        return word
    stemmed = _without_verb_ending(_singular(word) if word.endswith("s") else word)
    return stemmed[:-1] if len(stemmed) > 3 and stemmed.endswith(SILENT_ENDING) else stemmed


def _singular(word: str) -> str:
    if word.endswith(Y_PLURAL):
        return word[:-3] + "y" if len(word) >= MIN_Y_PLURAL_LENGTH else word[:-1]
    if word.endswith(ES_PLURALS):
        return word[:-2]
    return word if word[-2] in NO_PLURAL_BEFORE_S else word[:-1]


def _without_verb_ending(word: str) -> str:
    for ending in VERB_ENDINGS:
        base = word.removesuffix(ending)
        has_vowel = any(vowel in base for vowel in VOWELS)
        if base != word and len(base) >= MIN_VERB_BASE and has_vowel:
            is_doubled = base[-1] == base[-2] and base[-1] not in DOUBLED_IN_STEMS
            return base[:-1] if is_doubled else base
    return word
