"""The requests of an ordinary day, and the causes that can change them."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.cloudwatch.alarms import DAY, HOUR, MINUTE
from tests.system.drills.recordings import Invocation
from tests.system.drills.stand_ins import Request

MIDNIGHT: Final = 20_000 * DAY
"""When the simulated day begins. Which day it is makes no difference."""
CAUSE: Final = (MIDNIGHT + 10 * HOUR, MIDNIGHT + 13 * HOUR)
"""The first and the last second of a drill's cause."""
_PREDICTIONS_PER_HOUR: Final = (
    *(4, 3, 3, 2, 3, 8, 40, 150, 500, 700, 800, 800),
    *(700, 800, 800, 800, 700, 500, 300, 250, 200, 150, 80, 20),
)  # fmt: skip
_BEAT: Final = 5 * MINUTE
_FEEDBACK_SHARE: Final = 0.4
_REFUSED_SHARE: Final = 0.02
_COLD_SHARE: Final = 0.005

Recordings = Mapping[str, Sequence[Invocation]]
"""Recorded invocations, by kind."""


@dataclass(frozen=True)
class Traffic:
    """Makes requests from recordings.

    Attributes
    ----------
    recordings
        Recorded invocations, by kind.
    chance
        A seeded generator, so that every run makes the same requests.
    """

    recordings: Recordings
    chance: random.Random

    def day(self, midnight: float) -> Iterator[Request]:
        """Make an ordinary day: busy at noon, nearly silent at night, a few requests refused."""
        for hour, usual in enumerate(_PREDICTIONS_PER_HOUR):
            start = midnight + hour * HOUR
            for _ in range(round(self.chance.gauss(usual, usual**0.5))):
                at = start + self.chance.random() * HOUR
                cold = self.chance.random() < _COLD_SHARE
                yield self.one("cold" if cold else "prediction", at)
                yield self.one("draft", at - 10)  # sent while the question was being typed
                if self.chance.random() < _FEEDBACK_SHARE:
                    yield self.one("feedback", at + 20)
                if self.chance.random() < _REFUSED_SHARE:
                    yield self.one("refused", at + 5)
        for beat in range(int(DAY // _BEAT)):
            yield self.one("heartbeat", midnight + beat * _BEAT, through_api=False)

    def one(self, kind: str, at: float, *, through_api: bool = True) -> Request:
        """Make a request from a random recording of a kind."""
        return Request(at, self.chance.choice(self.recordings[kind]), through_api)

    def instead(self, requests: Sequence[Request], kind: str, *of: str) -> Iterator[Request]:
        """Replace the requests of some kinds by requests of another kind."""
        for request in requests:
            if request.invocation.kind in of:
                yield self.one(kind, request.at, through_api=request.through_api)
            else:
                yield request

    def bursts(self, kind: str, size: int) -> Iterator[Request]:
        """Make `size` requests at once, every minute."""
        for at in range(int(CAUSE[0]), int(CAUSE[1]), MINUTE):
            yield from (self.one(kind, at + number / 100) for number in range(size))


Cause = Callable[[Traffic, Sequence[Request]], Iterator[Request]]
"""Turns the requests of three ordinary hours into those of a drill."""


def without(*kinds: str) -> Cause:
    """Leave out the requests of some kinds."""
    return lambda _, requests: (each for each in requests if each.invocation.kind not in kinds)


def instead(kind: str, *of: str) -> Cause:
    """Replace the requests of some kinds by requests of another kind."""
    return lambda traffic, requests: traffic.instead(requests, kind, *of)


def all_become(kind: str) -> Cause:
    """Replace every request by one of a kind."""
    return lambda traffic, requests: (
        traffic.one(kind, each.at, through_api=each.through_api) for each in requests
    )


def one_in(count: int, kind: str) -> Cause:
    """Replace one in `count` requests by one of a kind."""
    return lambda traffic, requests: (
        traffic.one(kind, each.at) if number % count == 0 else each
        for number, each in enumerate(requests)
    )


def times(count: int) -> Cause:
    """Send every request `count` times."""
    return lambda _, requests: (
        each._replace(at=each.at + again) for each in requests for again in range(count)
    )


def bursts(kind: str, size: int) -> Cause:
    """Add bursts of a kind to the ordinary requests."""

    def changed(traffic: Traffic, requests: Sequence[Request]) -> Iterator[Request]:
        yield from requests
        yield from traffic.bursts(kind, size)

    return changed


def with_events(change: Callable[[str], str | None]) -> Cause:
    """Change what the event archive gets; None is a line that it does not get."""

    def changed(_traffic: Traffic, requests: Sequence[Request]) -> Iterator[Request]:
        for each in requests:
            events = tuple(line for old in each.invocation.events if (line := change(old)))
            yield each._replace(invocation=each.invocation._replace(events=events))

    return changed


def nothing() -> Cause:
    """Leave out every request, even the heartbeat."""
    return lambda _traffic, _requests: iter(())


def unchanged() -> Cause:
    """Keep the ordinary requests."""
    return lambda _traffic, requests: iter(requests)
