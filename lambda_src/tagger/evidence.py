"""Whether a question says enough, in words that the model knows, to suggest anything at all."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import normalize
from lambda_src.tagger.rules import FILLER_WORDS


def topicless(number: Callable[[str], int], unknown: int) -> npt.NDArray[np.bool_]:
    """Say of each word, by its number, whether it tells of no topic.

    Some words stand in questions of every kind, and so do those of greetings and thanks: a text of
    nothing else has no topic, however well the model knows its words.

    Parameters
    ----------
    number : callable
        Gives a word's number.
    unknown : int
        The number of unknown words, which is the largest.
    """
    mask = np.zeros(unknown + 1, np.bool_)
    mask[[number(normalize(word).whole) for word in FILLER_WORDS]] = True
    mask[unknown] = True
    return mask
