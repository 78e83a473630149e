"""What a person sees: each step by name, with the time that it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

timings: list[tuple[str, float]] = []
"""Every step of this process with its seconds, in the order in which they ended."""


class LocalAwsError(Exception):
    """Something that a person can mend: the message says what and how."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took once it is done.

    Parameters
    ----------
    what
        A few words that begin with a verb, "Building the image".
    """
    start = time.monotonic()
    say(f"{what} ...")
    yield
    seconds = time.monotonic() - start
    timings.append((what, seconds))
    say(f"{what}: {seconds:.1f} s")


def say(line: str) -> None:
    """Tell the person; standard output stays free for results."""
    print(line, file=sys.stderr, flush=True)
