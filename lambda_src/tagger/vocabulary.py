"""The terms that a model knows: from a question's words to numbered terms."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import QuestionTokens, normalize, speaks_as_text
from lambda_src.tagger.rules import MAX_PAIRED_WORDS, WORD_BITS

# A term's key is one number. From the highest bit: 1 for code and 0 for text, the number of the
# first word, and one more than the number of the second word or 0 if there is none.
_WORD_MASK = (1 << WORD_BITS) - 1
_CODE_BIT = 1 << 2 * WORD_BITS

Keys = npt.NDArray[np.int64]
Ints = npt.NDArray[np.intp]
Integers = npt.NDArray[np.signedinteger]
Floats = npt.NDArray[np.float64]
Space = Literal["text", "code"]
"""Title and prose share their terms; code has its own."""


def term_key(space: Space, first: int, second: int | None = None) -> int:
    """Give the key of a term: of its space and the numbers of its one or two words."""
    follower = 0 if second is None else second + 1
    return (_CODE_BIT if space == "code" else 0) | first << WORD_BITS | follower


class TermArrays(NamedTuple):
    """The arrays of a bundle that say which words and pairs of words are terms."""

    text_words: npt.NDArray[np.uint8]
    """A bit for each word, as `numpy.packbits` packs them: whether it is a term of text."""
    code_words: npt.NDArray[np.uint8]
    """The same for code."""
    word_pair_gaps: npt.NDArray[np.unsignedinteger]
    """Shape (n_pairs,): how far the first word of each pair is behind that of the pair before."""
    word_pair_seconds: npt.NDArray[np.unsignedinteger]
    """Shape (n_pairs,): the second word of each pair. Pairs are in ascending order."""


def term_keys(arrays: TermArrays, n_words: int, n_terms: int) -> Keys:
    """Give the key of each term, in ascending order.

    Raises
    ------
    ValueError
        The arrays do not fit the number of words or terms, or pairs are out of order.
    """
    text, code = (
        _words_of(bits, name, n_words)
        for bits, name in zip(arrays, ("text_words", "code_words"), strict=False)
    )
    firsts = arrays.word_pair_gaps.cumsum(dtype=np.int64)
    seconds = arrays.word_pair_seconds
    in_range = (firsts >= 0).all() and (firsts < n_words).all() and (seconds < n_words).all()
    if not in_range:
        raise ValueError("array 'word_pair_seconds' or 'word_pair_gaps' leads to no word")
    pairs = (firsts << WORD_BITS) + seconds.astype(np.int64) + 1
    if not (pairs[1:] > pairs[:-1]).all():
        raise ValueError("array 'word_pair_seconds' is not in ascending order")
    in_text = np.concatenate([text << WORD_BITS, pairs])
    # The two parts are in order: this sort merges them.
    in_text.sort(kind="stable")
    keys = np.concatenate([in_text, _CODE_BIT | code << WORD_BITS])
    if len(keys) != n_terms:
        raise ValueError(
            f"array 'term_weights' has {n_terms} numbers, but the arrays of words and pairs "
            f"have {len(keys)} terms"
        )
    return keys


def _words_of(bits: npt.NDArray[np.uint8], name: str, n_words: int) -> Keys:
    """Give the numbers of the words whose bits are set."""
    found = np.unpackbits(bits).nonzero()[0]
    if len(bits) != -(-n_words // 8) or (len(found) and found[-1] >= n_words):
        raise ValueError(f"array {name!r} does not have a bit for each word")
    return found.astype(np.int64)


class FieldNumbers(NamedTuple):
    """The words of a field by their numbers."""

    wholes: list[int]
    """In reading order; `Vocabulary.unknown` stands for a word that the model does not know."""
    parts: list[int]
    """The parts of compound words that the model knows."""


class QuestionNumbers(NamedTuple):
    """The words of a question by their numbers."""

    title: FieldNumbers
    prose: FieldNumbers
    code: FieldNumbers
    signals: list[int]
    """The signals of the code that the model knows."""
    capitals: FieldNumbers
    """The words of the title that have a capital letter."""
    camel_parts: list[int]
    """The parts of the title's camelCase words that the model knows."""


class FoundTerms(NamedTuple):
    """The terms of a question, each once; arrays of shape (n_found,)."""

    terms: Integers
    counts: Integers
    """How often each term occurs; an occurrence in the title counts `title_weight` times."""
    in_title: Integers
    """How often each term occurs in the title."""
    from_code: Integers
    """1 for a term of text that is a word of the code, too, and 0 for others. It is part of
    `counts`: what prose teaches about a word holds in code, but once is enough."""


class Words:
    """The words of a model, in the order of their numbers.

    They stay in the bytes of the bundle's file, because questions ask for few of them.

    Parameters
    ----------
    lines : ndarray of uint8
        UTF-8, one word per line.

    Raises
    ------
    ValueError
        The bytes are not UTF-8, or a line is empty.
    """

    def __init__(self, lines: npt.NDArray[np.uint8]) -> None:
        str(lines.data, "utf-8")
        self.lines = lines
        ends = (lines == ord("\n")).nonzero()[0]
        if len(lines):
            ends = np.append(ends, len(lines))
        self.starts = np.concatenate([[0], ends + 1]).astype(np.int32)
        """Shape (n_words + 1,): where each word begins in `lines`. The last number is where another
        word would begin."""
        if (np.diff(self.starts) < 2).any():
            raise ValueError("array 'words' contains an empty word")

    @classmethod
    def of(cls, words: Sequence[str]) -> Self:
        """Number words."""
        return cls(np.frombuffer("\n".join(words).encode(), np.uint8))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> str:
        start, end = self.starts[number : number + 2].tolist()
        return str(self.lines[start : end - 1].data, "utf-8")

    def numbers(self) -> dict[str, int]:
        """Give the number of each word."""
        words = str(self.lines.data, "utf-8").split("\n")[: len(self)]
        return dict(zip(words, range(len(self)), strict=True))


class Vocabulary:
    """The words and terms of a model.

    Parameters
    ----------
    words : Words
        Each word once.
    keys : ndarray of int64, shape (n_terms,)
        `term_key` of every term, in ascending order.
    title_weight : int
        How many times an occurrence in the title counts.

    Raises
    ------
    ValueError
        The keys are out of order or contain words that do not exist.
    """

    def __init__(self, words: Words, keys: Keys, title_weight: int) -> None:
        self.words = words
        self.keys = keys
        self.title_weight = title_weight
        self.unknown = len(words)
        """The number that stands for every unknown word; no term contains it."""
        if len(words) >= _WORD_MASK:
            raise ValueError(f"array 'words' contains more than {_WORD_MASK - 1} words")
        _check_keys(keys, len(words))

    def __len__(self) -> int:
        return len(self.keys)

    def check_words(self) -> None:
        """Build the dictionary of words, which `number` needs.

        Raises
        ------
        ValueError
            A word is there twice.
        """
        if len(self._numbers) != len(self.words):
            raise ValueError("array 'words' contains a word twice")

    def number_of(self, word: str) -> int:
        """Give the number of a normalized word, or `unknown`."""
        return self._numbers.get(word, self.unknown)

    def number(self, question: QuestionTokens) -> QuestionNumbers:
        """Look up the words of a question."""
        return QuestionNumbers(
            self._field_numbers(question.title),
            self._field_numbers(question.prose),
            self._field_numbers(question.code),
            self._known_numbers(question.signals),
            self._field_numbers(question.capitals),
            self._known_numbers(question.camel_parts),
        )

    def find(self, question: QuestionNumbers) -> FoundTerms:
        """Find the terms of a question: words, and pairs of neighbouring words outside of code."""
        title, prose, code, signals, _, camel_parts = question
        in_title = Counter(_keys_of(title, "text", n_paired=len(title.wholes)))
        elsewhere = Counter(_keys_of(prose, "text", n_paired=MAX_PAIRED_WORDS))
        elsewhere.update(_keys_of(code, "code", n_paired=0))
        elsewhere.update(term_key("code", signal) for signal in signals)
        elsewhere.update(term_key("text", part) for part in camel_parts)
        from_code = set(self._text_keys_of(code))
        elsewhere.update(from_code)
        keys = np.array(sorted(in_title.keys() | elsewhere.keys()), np.int64)
        places = self._places_of(keys)
        known, terms = keys[places >= 0].tolist(), places[places >= 0]
        counts = [self.title_weight * in_title[key] + elsewhere[key] for key in known]
        return FoundTerms(
            terms,
            np.array(counts, np.intp),
            np.array([in_title[key] for key in known], np.intp),
            np.array([key in from_code for key in known], np.intp),
        )

    def with_capital(self, question: QuestionNumbers) -> list[int] | None:
        """Give the terms that are single words with a capital letter in the title.

        None if the title does not tell names from other words; see `QuestionTokens.capitals`.
        """
        wholes, parts = question.capitals
        if not wholes:
            return None
        keys = np.array([term_key("text", word) for word in {*wholes, *parts}], np.int64)
        places = self._places_of(keys)
        terms: list[int] = places[places >= 0].tolist()
        return terms

    def _text_keys_of(self, code: FieldNumbers) -> Iterator[int]:
        """Give the keys that words of code have in text."""
        for number in {*code.wholes, *code.parts} - {self.unknown}:
            if speaks_as_text(self.words[number]):
                yield term_key("text", number)

    def in_code(self, terms: Ints) -> Ints:
        """Give the terms that are the same words in code, or -1 where there is no such term."""
        return self._places_of(self.keys[terms] | _CODE_BIT)

    def terms_by_word(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Give the terms by the numbers of their words.

        Returns
        -------
        word_terms : ndarray of int, shape (2 n_words,)
            The term that each word is in text, then the one that it is in code, or -1.
        pair_terms : ndarray of int, shape (n_words + 1,)
            Where the terms of text begin whose first word is this one. The last number is how many
            terms of text there are.
        """
        n_words = len(self.words)
        first_words = self.keys >> WORD_BITS & _WORD_MASK
        alone = (self.keys & _WORD_MASK == 0).nonzero()[0]
        n_text = int(self.keys.searchsorted(_CODE_BIT))
        word_terms = np.full(2 * n_words, -1, np.int32)
        word_terms[first_words[alone] + n_words * (alone >= n_text)] = alone
        n_each = np.bincount(first_words[:n_text], minlength=n_words)
        return word_terms, np.concatenate([[0], n_each.cumsum()]).astype(np.int32)

    def spell(self, term: int) -> tuple[Space, str]:
        """Write a term for people: its space and its word or words."""
        key = int(self.keys[term])
        first, follower = key >> WORD_BITS & _WORD_MASK, key & _WORD_MASK
        pair = f" {self.words[follower - 1]}" if follower else ""
        return "code" if key & _CODE_BIT else "text", f"{self.words[first]}{pair}"

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return self.words.numbers()

    def _places_of(self, keys: Keys) -> Ints:
        """Give the term of each key, or -1."""
        places = self.keys.searchsorted(keys)
        return np.where(self.keys.take(places, mode="clip") == keys, places, -1)

    def _field_numbers(self, tokens: Sequence[str]) -> FieldNumbers:
        normalized = [normalize(token) for token in tokens]
        return FieldNumbers(
            wholes=[self.number_of(each.whole) for each in normalized],
            parts=self._known_numbers(part for each in normalized for part in each.parts),
        )

    def _known_numbers(self, words: Iterable[str]) -> list[int]:
        numbers = map(self.number_of, words)
        return [number for number in numbers if number != self.unknown]


def _keys_of(field: FieldNumbers, space: Space, n_paired: int) -> Iterator[int]:
    """Give the keys of a field's words and of the pairs of its first words.

    Keys with the unknown word are among them, but no term has them.
    """
    for word in (*field.wholes, *field.parts):
        yield term_key(space, word)
    for first, second in pairwise(field.wholes[:n_paired]):
        yield term_key(space, first, second)


def _check_keys(keys: Keys, n_words: int) -> None:
    if not (keys[1:] > keys[:-1]).all():
        raise ValueError("its terms are not in ascending order")
    first, follower = keys >> WORD_BITS & _WORD_MASK, keys & _WORD_MASK
    known = (keys >= 0) & (keys < 2 * _CODE_BIT) & (first < n_words) & (follower <= n_words)
    if not known.all():
        raise ValueError("its terms contain a word that does not exist")
