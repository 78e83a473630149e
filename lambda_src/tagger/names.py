"""Whether a tag's name, or a well-known synonym of it, stands in the question."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.vocabulary import Floats, Ints, Keys, QuestionKeys, check_keys, without_space


class NameArrays(NamedTuple):
    """The names of all tags as a bundle keeps them.

    A name of one word is that word's key, a longer one the keys of its pairs of neighbours.
    """

    keys: Keys
    """Shape (n_keys,): ascending, each once."""
    name_keys: Ints
    """Places in `keys`, name after name."""
    name_starts: Ints
    """Shape (n_names,): where each name begins in `name_keys`."""
    tag_starts: Ints
    """Shape (n_tags,): where each tag's names begin; every tag has one."""


class TagNames:
    """Counts the names of tags in questions.

    Parameters
    ----------
    arrays : NameArrays
    n_words : int
        Of the vocabulary.

    Raises
    ------
    ValueError
        The arrays do not fit each other.
    """

    def __init__(self, arrays: NameArrays, n_words: int) -> None:
        check_keys(arrays.keys, n_words)
        fits = (
            _rising(arrays.name_starts, len(arrays.name_keys))
            and _rising(arrays.tag_starts, len(arrays.name_starts))
            and bool((arrays.name_keys < len(arrays.keys)).all())
        )
        if not fits:
            raise ValueError("the names of its tags do not fit each other")
        self._keys = arrays.keys
        self._parts = _parts(arrays)

    def count(self, question: QuestionKeys, tags: Ints) -> Floats:
        """Count some tags' names in each field.

        Parameters
        ----------
        question : QuestionKeys
        tags : ndarray of int, shape (n_asked,)

        Returns
        -------
        ndarray of float, shape (3, n_asked)
            Title, prose and code; the commonest name of a tag counts.
        """
        n_keys = len(self._keys)
        keys = without_space(np.concatenate(question))
        fields = np.repeat(_FIELDS, [len(each) for each in question])
        places = np.searchsorted(self._keys, keys)
        places[places == n_keys] = 0
        found = self._keys[places] == keys
        # Two more columns: what stands in for a part that a name has not (as often as you like),
        # and for a name that a tag has not (never).
        seen = np.bincount(
            places[found] + (n_keys + 2) * fields[found], minlength=3 * (n_keys + 2)
        ).reshape(3, n_keys + 2)
        seen[:, n_keys] = _OFTEN
        # A name stands there as often as the rarest of its parts, a tag as its commonest name.
        counts: Floats = seen[:, self._parts[tags]].min(axis=3).max(axis=2)
        return counts


_FIELDS = np.arange(3)
_OFTEN = 1 << 30


def _parts(arrays: NameArrays) -> Ints:
    """Lay names out, shape (n_tags, most names of a tag, most keys of a name)."""
    n_keys = len(arrays.keys)
    name_lengths = np.diff(arrays.name_starts, append=len(arrays.name_keys))
    tag_lengths = np.diff(arrays.tag_starts, append=len(arrays.name_starts))
    padded = np.full((len(name_lengths), name_lengths.max()), n_keys)
    padded[np.arange(name_lengths.max()) < name_lengths[:, None]] = arrays.name_keys
    parts = np.full((len(tag_lengths), tag_lengths.max(), name_lengths.max()), n_keys + 1)
    parts[np.arange(tag_lengths.max()) < tag_lengths[:, None]] = padded
    return parts


def _rising(starts: npt.NDArray[np.intp], end: int) -> bool:
    """Whether parts that begin there are none of them empty, up to the end."""
    return (
        len(starts) > 0
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        and int(starts[-1]) < end
    )
