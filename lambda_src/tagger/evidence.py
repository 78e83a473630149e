"""Whether a question says enough, in words that the model knows, to suggest anything at all."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import normalize

_TOPICLESS = """
a about advance again all also always am an and another any anybody anyone anything are around as
ask asked asking at awesome away back bad be because been before being best better big bit both
bring but by bye came can cannot care cheers come could couldn't cool day days dear did didn't do
does doesn't doing don't done down each easy either else english enough even ever every everybody
everyone everything far feel few find fine first for forward friend friends from full fun gave get
gets getting give glad go goes going gone good got great greetings guess guys had happy hard has
have haven't having he hello help helped helping her here hey hi him his hope hoping how however i
i'd i'll i'm i've if im in into is isn't issue it it's its just keep kind kindly knew know known
last later least less let like little long look looking lot lots love luck made make makes making
many maybe me mean might mine month months more morning most much must my myself name need needed
needs never new next nice night no nobody none not nothing now of off often ok okay old on once one
ones only or other others our out over own people perhaps please pleased pls possible problem
problems put question questions quite rather read ready really regard regards reply right said same
saw say saying says see seem seems seen she should since sir small so some somebody someone
something soon sorry sure take taken takes talk tell than thank thanks that that's the their them
then there these they thing things think this those though thought through time to today together
told tomorrow too took tried try trying two under understand until up us use used useful using
usually very want wanted wants was way we week weeks welcome well were what what's when where
whether which while who whole why will wish with without won't wonder wonderful work works world
would wouldn't wrong yeah year years yes yesterday yet you your yours yourself
"""


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
    mask[[number(normalize(word).whole) for word in _TOPICLESS.split()]] = True
    mask[unknown] = True
    return mask
