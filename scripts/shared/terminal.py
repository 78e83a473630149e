"""What a person sees at the terminal: steps with the time they took, and errors to fix."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

timings: list[tuple[str, float]] = []
"""Each finished step of this process with its duration in seconds, in the order of finishing."""


class UserError(Exception):
    """An error that the person at the terminal can fix: the message says what to do."""


@contextmanager
def step(description: str) -> Iterator[None]:
    """Announce a step, and print how long it took when it has ended.

    Parameters
    ----------
    description
        A few words that begin with a verb, such as "Building the image".
    """
    start = time.monotonic()
    say(f"{description} ...")
    yield
    seconds = time.monotonic() - start
    timings.append((description, seconds))
    say(f"{description}: {seconds:.1f} s")


def say(line: str) -> None:
    """Print a line to standard error; standard output is for results."""
    print(line, file=sys.stderr, flush=True)
