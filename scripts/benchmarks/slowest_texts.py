"""Search for the text that takes the longest to answer, among texts of the longest allowed length.

The search is evolutionary: a candidate repeats some pieces of text, and the slowest candidates are
changed and crossed. What counts is the processor time of an answer, divided by that of ordinary
text of the same length.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, get_args

from lambda_src.tagger import TagModel
from lambda_src.tagger.markup import BodyFormat
from scripts.benchmarks.growth import LARGEST, hostile_questions
from tests.hostile.texts import CHARACTERS, MARKUP, WORDS

_PIECES: Final = (*MARKUP, *WORDS, *(each for each in CHARACTERS if each.isprintable()))
_FORMATS: Final[tuple[BodyFormat, ...]] = get_args(BodyFormat)
_POPULATION: Final = 24
_MAX_PIECES: Final = 8
_MIXED: Final = 2_000
"""How many pieces a candidate without repetition has."""

_SHOWN: Final = 60
"""How many characters of a candidate's pieces its description contains."""


class Candidate(NamedTuple):
    """A kind of text."""

    pieces: tuple[str, ...]
    """Repeated until the text is long enough."""
    before: str
    """What the text begins with."""
    body_format: BodyFormat
    in_title: bool
    """Whether the text is the title instead of the body."""

    def text(self) -> str:
        """Write the text: exactly as many bytes as a question may have, as far as possible."""
        whole = "".join(self.pieces)
        text = self.before + whole * (LARGEST // len(whole.encode(errors="replace")) + 1)
        return text.encode(errors="replace")[:LARGEST].decode(errors="ignore")

    def describe(self) -> str:
        """Describe the text in a line."""
        place = "title" if self.in_title else f"body ({self.body_format})"
        before = f"{self.before!r}, then " if self.before else ""
        whole = "".join(self.pieces)
        repeated = repr(whole[:_SHOWN]) + (" ..." if len(whole) > _SHOWN else "")
        return f"{place}: {before}{repeated} again and again"


class Slowest(NamedTuple):
    """What the search found."""

    ratio: float
    """The time of the slowest text, divided by that of ordinary text of the same length."""
    candidate: Candidate
    n_tried: int


def search(model: TagModel, ordinary: tuple[str, str], seconds: float, seed: int) -> Slowest:
    """Search for the slowest text.

    Parameters
    ----------
    model : TagModel
    ordinary : (str, str)
        Title and body of an ordinary text of the full length.
    seconds : float
        How long to search.
    seed : int
        Of the random choices.
    """
    # A fixed seed makes a search repeatable; nothing here is a secret.
    chance = random.Random(seed)  # noqa: S311
    baseline = _seconds(lambda: model.suggest(*ordinary), 7)
    tried: dict[Candidate, float] = {}

    def measure(candidate: Candidate) -> None:
        if candidate not in tried and "".join(candidate.pieces):
            tried[candidate] = _measured(model, candidate, 1) / baseline

    for text in hostile_questions().values():
        # The kinds that are known are repeated from their beginnings.
        measure(Candidate((text[1][:12],), "", "auto", in_title=False))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        best = sorted(tried, key=tried.__getitem__, reverse=True)[:_POPULATION]
        measure(_new(chance) if chance.random() < 0.2 else _changed(chance, best))
    finalists = sorted(tried, key=tried.__getitem__, reverse=True)[:10]
    # A single measurement may have been disturbed: the ratio is that of the fastest of several.
    ratios = {each: _measured(model, each, 5) / baseline for each in finalists}
    slowest = max(ratios, key=ratios.__getitem__)
    return Slowest(ratios[slowest], slowest, len(tried))


def _new(chance: random.Random) -> Candidate:
    count = chance.choice([1, 2, 3, _MAX_PIECES, _MIXED])
    return Candidate(
        tuple(chance.choices(_PIECES, k=count)),
        "".join(chance.choices(_PIECES, k=chance.randrange(3))),
        chance.choice(_FORMATS),
        chance.random() < 0.1,
    )


def _changed(chance: random.Random, best: Sequence[Candidate]) -> Candidate:
    one, other = chance.choice(best), chance.choice(best)
    pieces = list(one.pieces)
    place = chance.randrange(len(pieces))
    how = chance.randrange(6)
    if how == 0:
        pieces[place] = chance.choice(_PIECES)
    elif how == 1:
        pieces.insert(place, chance.choice(_PIECES))
    elif how == 2 and len(pieces) > 1:
        del pieces[place]
    elif how == 3:
        pieces = [*pieces[:place], *other.pieces[chance.randrange(len(other.pieces)) :]]
    elif how == 4:
        return one._replace(before="".join(chance.choices(_PIECES, k=chance.randrange(3))))
    else:
        return one._replace(body_format=chance.choice(_FORMATS))
    return one._replace(pieces=tuple(pieces))


def _measured(model: TagModel, candidate: Candidate, times: int) -> float:
    text = candidate.text()
    title, body = (text, "") if candidate.in_title else ("", text)
    return _seconds(lambda: model.suggest(title, body, body_format=candidate.body_format), times)


def _seconds(call: Callable[[], object], times: int) -> float:
    """Return the processor time of the fastest of some calls."""
    found = []
    for _ in range(times):
        started = time.thread_time()
        call()
        found.append(time.thread_time() - started)
    return min(found)
