"""The terms that a model knows: from a question's words to numbered terms."""

from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import QuestionPieces, QuestionTokens, normalize, words_in
from lambda_src.tagger.evidence import topicless
from lambda_src.tagger.rules import MAX_PAIRED_WORDS, WORD_BITS

# A key is one number: code or text, first word, one more than the second word (0: there is none).
# Pairs are found by the numbers of their words, so that no pair is ever stored or hashed as text.
_WORD_MASK = (1 << WORD_BITS) - 1
_CODE_BIT = 1 << 2 * WORD_BITS
_REMEMBERED_PIECES = 30_000
_REMEMBERED_LENGTH = 40

Keys = npt.NDArray[np.int64]
Ints = npt.NDArray[np.intp]
Integers = npt.NDArray[np.signedinteger]
Floats = npt.NDArray[np.float64]
Space = Literal["text", "code"]
"""Title and prose share their terms; those of code are its own."""


def term_key(space: Space, first: int, second: int | None = None) -> int:
    """Number a term by its space and the numbers of its one or two words."""
    follower = 0 if second is None else second + 1
    return (_CODE_BIT if space == "code" else 0) | first << WORD_BITS | follower


class FieldNumbers(NamedTuple):
    """The words of a field by their numbers."""

    wholes: Ints
    """In reading order; one that the model does not know has `Vocabulary.unknown`."""
    parts: Ints
    """Of compound words, as far as the model knows them."""


class QuestionNumbers(NamedTuple):
    """The words of a question by their numbers."""

    title: FieldNumbers
    prose: FieldNumbers
    code: FieldNumbers


class KnownWords(NamedTuple):
    """How much of a question's title and prose the model can know."""

    share: float
    """Of its words that are known, from 0 to 1; 1 where it has no words."""
    has_topic: bool
    """Whether one of the known words is more than a filler or a courtesy."""


class FoundTerms(NamedTuple):
    """The terms of a question, each once; shape (n_found,) each."""

    terms: Integers
    counts: Integers
    """How often each occurs, one in the title counting `title_weight` times."""
    in_title: Integers
    """How often each occurs in the title."""


class Words:
    """The words of a model, in the order of their numbers.

    They stay as a bundle has them: of the most of them a question never asks.

    Parameters
    ----------
    lines : ndarray of uint8
        UTF-8, one word a line.

    Raises
    ------
    ValueError
        It is no UTF-8, or a line is empty.
    """

    def __init__(self, lines: npt.NDArray[np.uint8]) -> None:
        str(lines.data, "utf-8")
        self.lines = lines
        ends = (lines == ord("\n")).nonzero()[0]
        if len(lines):
            ends = np.append(ends, len(lines))
        self.starts = np.concatenate([[0], ends + 1]).astype(np.int32)
        """Shape (n_words + 1,): where each begins among the lines; the last one ends before."""
        if (np.diff(self.starts) < 2).any():
            raise ValueError("one of its words is empty")

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
    """Words and terms of a model.

    Parameters
    ----------
    words : Words
        Without repeats.
    keys : ndarray of int64, shape (n_terms,)
        `term_key` of every term, strictly ascending.
    title_weight : int
        How many times a word of the title counts.

    Raises
    ------
    ValueError
        The keys are out of order or name words that there are not.
    """

    def __init__(self, words: Words, keys: Keys, title_weight: int) -> None:
        self.words = words
        self.keys = keys
        self.title_weight = title_weight
        # Of a word that no term has: what it makes is looked up like everything, and not found.
        self.unknown = len(words)
        if len(words) >= _WORD_MASK:
            raise ValueError("its words are too many")
        _check(keys, len(words))

    def __len__(self) -> int:
        return len(self.keys)

    def index(self) -> None:
        """Make what `number` needs, which else it makes when it is first asked.

        Raises
        ------
        ValueError
            A word stands there twice.
        """
        if len(self._pieces.numbers) != len(self.words):
            raise ValueError("its words are not distinct")

    def number(self, question: QuestionPieces | QuestionTokens) -> QuestionNumbers:
        """Look a question's words up; that it was cut to pieces is enough."""
        return QuestionNumbers(*map(self._field_numbers, question))

    def known_words(self, question: QuestionNumbers) -> KnownWords:
        """Judge whether a question says anything in words that the model knows."""
        numbers = np.append(question.title.wholes, question.prose.wholes)
        if not len(numbers):
            return KnownWords(1.0, len(question.code.wholes) > 0)
        share = 1 - np.count_nonzero(numbers == self.unknown) / len(numbers)
        return KnownWords(share, not self._topicless[numbers].all())

    def find(self, question: QuestionNumbers) -> FoundTerms:
        """Find the terms that a question's words and pairs of words are; code has no pairs."""
        marked = self._marked_keys(question)
        # In order they are found faster, and like ones stand together.
        marked.sort()
        keys = marked >> 1
        places = self.keys.searchsorted(keys)
        known = self.keys.take(places, mode="clip") == keys
        terms = places.compress(known)
        if not len(terms):
            return FoundTerms(terms, terms, terms)
        is_first = np.ones(len(terms), np.bool_)
        np.not_equal(terms[1:], terms[:-1], out=is_first[1:])
        starts = is_first.nonzero()[0]
        in_title = np.add.reduceat(marked.compress(known) & 1, starts)
        counts = in_title * (self.title_weight - 1)
        counts[:-1] += starts[1:] - starts[:-1]
        counts[-1] += len(terms) - starts[-1]
        return FoundTerms(terms.take(starts), counts, in_title)

    def in_code(self, terms: Ints) -> Ints:
        """Give the terms that are the same words in code; -1 where there is none."""
        keys = self.keys[terms] | _CODE_BIT
        places = self.keys.searchsorted(keys)
        return np.where(self.keys.take(places, mode="clip") == keys, places, -1)

    def terms_by_word(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Tell by the numbers of words which terms they are.

        Returns
        -------
        word_terms : ndarray of int, shape (2 n_words,)
            The term of each word in text, then in code; -1 where there is none.
        pair_terms : ndarray of int, shape (n_words + 1,)
            Where the terms of text begin that have this first word; the last entry is their number.
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
    def _pieces(self) -> "_Pieces":
        return _Pieces(self.words.numbers(), self.unknown)

    @cached_property
    def _topicless(self) -> npt.NDArray[np.bool_]:
        return topicless(self._pieces.number, self.unknown)

    def _marked_keys(self, question: QuestionNumbers) -> Keys:
        """Give twice the key of each word and pair of a question, and one more in the title.

        Those of unknown words are among them, and are no term's.
        """
        title, prose, code = question
        # The unknown word between the two keeps them from making a pair.
        text = np.concatenate([title.wholes, [self.unknown], prose.wholes])
        of_text = np.concatenate([text, title.parts, prose.parts])
        numbers = np.concatenate([of_text, code.wholes, code.parts])
        n_words, n_title, n_text = len(numbers), len(title.wholes), len(text)
        n_pairs = n_title + min(len(prose.wholes), MAX_PAIRED_WORDS)
        marked = np.empty(n_words + n_pairs, np.int64)
        words, pairs = marked[:n_words], marked[n_words:]
        np.left_shift(numbers, WORD_BITS + 1, out=words)
        np.bitwise_or(words[:n_pairs], numbers[1 : n_pairs + 1] + 1 << 1, out=pairs)
        words[len(of_text) :] |= _CODE_BIT << 1
        words[:n_title] |= 1
        words[n_text : n_text + len(title.parts)] |= 1
        pairs[:n_title] |= 1
        return marked

    def _field_numbers(self, pieces: list[str]) -> FieldNumbers:
        packed = b"".join(map(self._pieces.__getitem__, pieces))
        numbers = np.frombuffer(packed, np.int32).astype(np.int64)
        return FieldNumbers(numbers[numbers >= 0], ~numbers[numbers < 0])


class _Pieces(dict[str, bytes]):
    """What pieces of text stand for, remembered within bounds.

    A 32-bit integer for each word: its number, or ``~number`` for a known part of the one before.
    """

    def __init__(self, numbers: Mapping[str, int], unknown: int) -> None:
        super().__init__()
        self.numbers = numbers
        self._unknown = unknown

    def number(self, word: str) -> int:
        return self.numbers.get(word, self._unknown)

    def __missing__(self, piece: str) -> bytes:
        packed = array("i")
        for token in words_in(piece):
            whole, parts = normalize(token)
            packed.append(self.number(whole))
            packed.extend([~self.numbers[part] for part in parts if part in self.numbers])
        found = packed.tobytes()
        if len(piece) <= _REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED_PIECES:
                # The common words are back within a few questions.
                self.clear()
            self[piece] = found
        return found


def _check(keys: Keys, n_words: int) -> None:
    if not (keys[1:] > keys[:-1]).all():
        raise ValueError("its terms are not in ascending order")
    first, follower = keys >> WORD_BITS & _WORD_MASK, keys & _WORD_MASK
    known = (keys >= 0) & (keys < 2 * _CODE_BIT) & (first < n_words) & (follower <= n_words)
    if not known.all():
        raise ValueError("one of its terms names a word that there is not")
