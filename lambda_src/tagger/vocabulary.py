"""The terms that a model knows: from a question's words to numbered terms."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import QuestionTokens, forms
from lambda_src.tagger.evidence import TOPICLESS

# A key is one number: code or text, first word, one more than the second word (0: there is none).
# Pairs are found by the numbers of their words, so that no pair is ever stored or hashed as text.
_WORD_BITS = 28
_WORD_MASK = (1 << _WORD_BITS) - 1
_CODE_BIT = 1 << 2 * _WORD_BITS
_REMEMBERED_TOKENS = 30_000
_REMEMBERED_LENGTH = 40

Keys = npt.NDArray[np.int64]
Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Space = Literal["text", "code"]
"""Title and prose share their terms; those of code are its own."""


def term_key(space: Space, first: int, second: int | None = None) -> int:
    """Number a term by its space and the numbers of its one or two words."""
    follower = 0 if second is None else second + 1
    return (_CODE_BIT if space == "code" else 0) | first << _WORD_BITS | follower


class FieldNumbers(NamedTuple):
    """The words of a field by their numbers; -1 where the model does not know one."""

    wholes: list[int]
    """In reading order."""
    parts: list[int]
    """Of compound words."""


class QuestionNumbers(NamedTuple):
    """The words of a question by their numbers."""

    title: FieldNumbers
    prose: FieldNumbers
    code: FieldNumbers


class QuestionKeys(NamedTuple):
    """The keys of a question's words and pairs, known as terms or not; code has no pairs."""

    title: Keys
    prose: Keys
    code: Keys


class KnownWords(NamedTuple):
    """How much of a question's title and prose the model can know."""

    share: float
    """Of its words that are known, from 0 to 1; 1 where it has no words."""
    has_topic: bool
    """Whether one of the known words is more than a filler or a courtesy."""


class FoundTerms(NamedTuple):
    """The terms of a question, shape (n_found,) each."""

    terms: Ints
    """Ascending, each once."""
    counts: Floats
    """How often each occurs, one in the title counting `title_weight` times."""


class Vocabulary:
    """Words and terms of a model.

    Parameters
    ----------
    words : sequence of str
        Without repeats.
    keys : ndarray of int64, shape (n_terms,)
        `term_key` of every term, strictly ascending.
    title_weight : float
        How many times a word of the title counts.

    Raises
    ------
    ValueError
        A word stands twice, or the keys are out of order or name words that there are not.
    """

    def __init__(self, words: Sequence[str], keys: Keys, title_weight: float) -> None:
        self.words = words
        self.keys = keys
        self._title_weight = title_weight
        self._numbers = dict(zip(words, range(len(words)), strict=True))
        topicless = {self._numbers.get(forms(word).whole, -1) for word in TOPICLESS}
        self._topicless = frozenset(topicless | {-1})
        self._known_tokens: dict[str, int] = {}
        self._compound_tokens: dict[str, list[int]] = {}
        if len(self._numbers) != len(words) or len(words) > _WORD_MASK:
            raise ValueError("its words are too many or not distinct")
        check_keys(keys, len(words))

    def __len__(self) -> int:
        return len(self.keys)

    def number(self, tokens: QuestionTokens) -> QuestionNumbers:
        """Look a question's words up."""
        return QuestionNumbers(*map(self._field_numbers, tokens))

    def keys_of(self, question: QuestionNumbers) -> QuestionKeys:
        """Turn a question's words and pairs into keys, as far as their words are known."""
        return QuestionKeys(
            _text_keys(question.title),
            _text_keys(question.prose),
            _word_keys(question.code) | _CODE_BIT,
        )

    def known_words(self, question: QuestionNumbers) -> KnownWords:
        """Judge whether a question says anything in words that the model knows."""
        numbers = question.title.wholes + question.prose.wholes
        if not numbers:
            return KnownWords(1.0, bool(question.code.wholes))
        share = 1 - numbers.count(-1) / len(numbers)
        return KnownWords(share, not self._topicless.issuperset(numbers))

    def find(self, question: QuestionKeys) -> FoundTerms:
        """Find a question's terms."""
        keys = np.concatenate(question)
        if not len(self.keys) or not len(keys):
            return FoundTerms(np.zeros(0, np.intp), np.zeros(0))
        occurrences = np.ones(len(keys))
        occurrences[: len(question.title)] = self._title_weight
        order = keys.argsort()
        keys, occurrences = keys[order], occurrences[order]
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        keys, counts = keys[starts], np.add.reduceat(occurrences, starts)
        places = np.searchsorted(self.keys, keys)
        places[places == len(self.keys)] = 0
        found = self.keys[places] == keys
        return FoundTerms(places[found], counts[found])

    def spell(self, term: int) -> tuple[Space, str]:
        """Write a term for people: its space and its word or words."""
        key = int(self.keys[term])
        first, follower = key >> _WORD_BITS & _WORD_MASK, key & _WORD_MASK
        pair = f" {self.words[follower - 1]}" if follower else ""
        return "code" if key & _CODE_BIT else "text", f"{self.words[first]}{pair}"

    def _field_numbers(self, tokens: list[str]) -> FieldNumbers:
        known, compounds = self._known_tokens, self._compound_tokens
        wholes = [known.get(token) for token in tokens]
        if None not in wholes:
            parts = [part for token in tokens if token in compounds for part in compounds[token]]
            return FieldNumbers(wholes, parts)  # type: ignore[arg-type]
        looked_up = [self._look_up(token) for token in tokens]
        return FieldNumbers(
            [whole for whole, _ in looked_up], [part for _, parts in looked_up for part in parts]
        )

    def _look_up(self, token: str) -> tuple[int, list[int]]:
        """Number one word, and remember it for the next time unless it is too long for that."""
        known = self._known_tokens.get(token)
        if known is not None:
            return known, self._compound_tokens.get(token, [])
        whole, parts = forms(token)
        number = self._numbers.get(whole, -1)
        known_parts = [self._numbers[part] for part in parts if part in self._numbers]
        if len(token) <= _REMEMBERED_LENGTH:
            if len(self._known_tokens) >= _REMEMBERED_TOKENS:
                # The common words are back within a few questions.
                self._known_tokens.clear()
                self._compound_tokens.clear()
            self._known_tokens[token] = number
            if known_parts:
                self._compound_tokens[token] = known_parts
        return number, known_parts


def _text_keys(field: FieldNumbers) -> Keys:
    sequence = np.array(field.wholes, dtype=np.int64)
    first, second = sequence[:-1], sequence[1:]
    both = (first >= 0) & (second >= 0)
    paired = first[both] << _WORD_BITS | second[both] + 1
    return np.concatenate([_word_keys(field), paired])


def _word_keys(field: FieldNumbers) -> Keys:
    numbers = np.array(field.wholes + field.parts, dtype=np.int64)
    return numbers[numbers >= 0] << _WORD_BITS


def without_space(keys: Keys) -> Keys:
    """Forget whether keys are of text or of code."""
    return keys & ~_CODE_BIT


def check_keys(keys: Keys, n_words: int) -> None:
    """Refuse keys that are out of order or name words that there are not; raises ValueError."""
    if not (keys[1:] > keys[:-1]).all():
        raise ValueError("its terms are not in ascending order")
    first, follower = keys >> _WORD_BITS & _WORD_MASK, keys & _WORD_MASK
    known = (keys >= 0) & (keys < 2 * _CODE_BIT) & (first < n_words) & (follower <= n_words)
    if not known.all():
        raise ValueError("one of its terms names a word that there is not")
