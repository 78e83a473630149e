"""The terms that a model knows: from a question's words to numbered terms."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import FIELDS, FieldWords, QuestionWords

# A term is one number: field, first word, and one more than the second word (0: there is none).
# Pairs are found by the numbers of their words, so that no pair is ever stored or hashed as text.
_WORD_BITS = 28
_FIELD_SHIFT = 2 * _WORD_BITS
_WORD_MASK = (1 << _WORD_BITS) - 1

Keys = npt.NDArray[np.uint64]


def term_key(field: int, first: int, second: int | None = None) -> int:
    """Number a term by its field and the numbers of its one or two words."""
    follower = 0 if second is None else second + 1
    return field << _FIELD_SHIFT | first << _WORD_BITS | follower


class Vocabulary:
    """Words and terms of a model.

    Parameters
    ----------
    words : sequence of str
        Without repeats.
    keys : ndarray of uint64, shape (n_terms,)
        `term_key` of every term, strictly ascending.

    Raises
    ------
    ValueError
        A word stands twice, or the keys are out of order or name words that there are not.
    """

    def __init__(self, words: Sequence[str], keys: Keys) -> None:
        self.words = words
        self.keys = keys
        self._numbers = dict(zip(words, range(len(words)), strict=True))
        if len(self._numbers) != len(words) or len(words) > _WORD_MASK:
            raise ValueError("its words are too many or not distinct")
        if not (keys[1:] > keys[:-1]).all():
            raise ValueError("its terms are not in ascending order")
        first = keys >> np.uint64(_WORD_BITS) & np.uint64(_WORD_MASK)
        follower = keys & np.uint64(_WORD_MASK)
        known = (self.fields() < len(FIELDS)) & (first < len(words)) & (follower <= len(words))
        if not known.all():
            raise ValueError("one of its terms names a field or word that there is not")

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, words: QuestionWords) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Find a question's terms.

        Returns
        -------
        terms : ndarray of int, shape (n_found,)
            Ascending, each once.
        counts : ndarray of int, shape (n_found,)
            How often each occurs.
        """
        candidates = np.concatenate(
            [self._field_keys(field, each) for field, each in enumerate(words)]
        )
        keys, counts = np.unique(candidates, return_counts=True)
        places = np.searchsorted(self.keys, keys)
        places[places == len(self.keys)] = 0
        found = self.keys[places] == keys if len(self.keys) else np.zeros(0, dtype=bool)
        return places[found], counts[found]

    def _field_keys(self, field: int, words: FieldWords) -> Keys:
        number = self._numbers.get
        sequence = np.array([number(word, -1) for word in words.sequence], dtype=np.int64)
        parts = np.array([number(part, -1) for part in words.parts], dtype=np.int64)
        first, second = sequence[:-1], sequence[1:]
        both = (first >= 0) & (second >= 0)
        keys = np.concatenate(
            [
                sequence[sequence >= 0] << _WORD_BITS,
                parts[parts >= 0] << _WORD_BITS,
                first[both] << _WORD_BITS | second[both] + 1,
            ]
        )
        return (keys | field << _FIELD_SHIFT).astype(np.uint64)

    def fields(self) -> npt.NDArray[np.uint8]:
        """Give each term's field as its place in `FIELDS`; shape (n_terms,)."""
        return (self.keys >> np.uint64(_FIELD_SHIFT)).astype(np.uint8)

    def spell(self, term: int) -> tuple[str, str]:
        """Write a term for people: its field and its word or words."""
        key = int(self.keys[term])
        first, follower = key >> _WORD_BITS & _WORD_MASK, key & _WORD_MASK
        pair = f" {self.words[follower - 1]}" if follower else ""
        return FIELDS[key >> _FIELD_SHIFT], f"{self.words[first]}{pair}"
