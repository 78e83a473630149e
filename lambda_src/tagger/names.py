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
        self._arrays = arrays

    def count(self, question: QuestionKeys) -> Floats:
        """Count each tag's names in each field.

        Returns
        -------
        ndarray of float, shape (3, n_tags)
            Title, prose and code; the commonest name of a tag counts.
        """
        arrays = self._arrays
        n_keys = len(arrays.keys)
        keys = without_space(np.concatenate(question))
        lengths = [len(each) for each in question]
        fields = np.repeat(np.arange(3), lengths)
        places = np.searchsorted(arrays.keys, keys)
        places[places == n_keys] = 0
        found = arrays.keys[places] == keys
        seen = np.bincount(places[found] + n_keys * fields[found], minlength=3 * n_keys)
        # A name stands there as often as the rarest of its parts, a tag as its commonest name.
        of_names = np.minimum.reduceat(
            seen.reshape(3, n_keys)[:, arrays.name_keys], arrays.name_starts, axis=1
        )
        counts: Floats = np.maximum.reduceat(of_names, arrays.tag_starts, axis=1)
        return counts


def _rising(starts: npt.NDArray[np.intp], end: int) -> bool:
    """Whether parts that begin there are none of them empty, up to the end."""
    return (
        len(starts) > 0
        and int(starts[0]) == 0
        and bool((starts[1:] > starts[:-1]).all())
        and int(starts[-1]) < end
    )
