"""How much of the feedback of one caller counts, so that nobody decides the figures alone."""

from collections.abc import Sequence
from typing import Final

MAX_SHARE: Final = 0.1
"""The largest share of the counted feedback that one principal may have, by default."""
MIN_COUNTED: Final = 20
"""So much feedback of each principal counts on a day in any case. So a service with one principal
still has the 100 judged predictions in a week that the figures need."""


def most_counted(counts: Sequence[int], unnamed: int, share: float) -> int:
    """Return how many feedbacks of one principal count.

    It is the largest number k with k <= share * total, where the total is what counts then:
    `unnamed` and, of each principal, its feedbacks or k, whichever is less. It is never below
    `MIN_COUNTED`. So the share of a principal is at most `share`, or `MIN_COUNTED` feedbacks.

    Parameters
    ----------
    counts : sequence of int
        The number of feedbacks of each principal.
    unnamed : int
        The number of feedbacks without a principal, which count in any case.
    share : float
        More than 0, and at most 1, which means that everything counts.

    Examples
    --------
    One caller sends 1,000 feedbacks and 300 callers send 3 each: 100 of 1,000 count.

    >>> most_counted([1000] + [3] * 300, unnamed=0, share=0.1)
    100
    """
    fits, too_many = 0, max(counts, default=0) + 1
    # share * total - k is concave in k and not negative at 0, so every k below one that fits, fits.
    while too_many - fits > 1:
        tried = (fits + too_many) // 2
        total = unnamed + sum(min(each, tried) for each in counts)
        if tried <= share * total:
            fits = tried
        else:
            too_many = tried
    return max(fits, MIN_COUNTED)
