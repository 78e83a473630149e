"""A day as it should be, and what can happen to it."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.cloudwatch.alarms import DAY, HOUR, MINUTE
from tests.system.drills.recordings import Invocation
from tests.system.drills.stand_ins import Request

MIDNIGHT: Final = 20_000 * DAY
"""When the simulated day begins; which day it is makes no difference."""
CAUSE: Final = (MIDNIGHT + 10 * HOUR, MIDNIGHT + 13 * HOUR)
"""When something goes wrong in a drill."""
_PREDICTIONS_PER_HOUR: Final = (
    *(4, 3, 3, 2, 3, 8, 40, 150, 500, 700, 800, 800),
    *(700, 800, 800, 800, 700, 500, 300, 250, 200, 150, 80, 20),
)  # fmt: skip
_BEAT: Final = 5 * MINUTE
_FEEDBACK_SHARE: Final = 0.4
_REFUSED_SHARE: Final = 0.02
_COLD_SHARE: Final = 0.005

Recordings = Mapping[str, Sequence[Invocation]]
"""By kind."""


@dataclass(frozen=True)
class Traffic:
    """Makes requests out of recordings.

    Attributes
    ----------
    recordings
        What the image did, by kind.
    chance
        Decides what comes when, the same way each time.
    """

    recordings: Recordings
    chance: random.Random

    def day(self, midnight: float) -> Iterator[Request]:
        """An ordinary day: busy at noon, nearly silent at night, and never quite without errors."""
        for hour, usual in enumerate(_PREDICTIONS_PER_HOUR):
            start = midnight + hour * HOUR
            for _ in range(round(self.chance.gauss(usual, usual**0.5))):
                at = start + self.chance.random() * HOUR
                cold = self.chance.random() < _COLD_SHARE
                yield self.one("cold" if cold else "prediction", at)
                yield self.one("draft", at - 10)  # as it was typed
                if self.chance.random() < _FEEDBACK_SHARE:
                    yield self.one("feedback", at + 20)
                if self.chance.random() < _REFUSED_SHARE:
                    yield self.one("refused", at + 5)
        for beat in range(int(DAY // _BEAT)):
            yield self.one("heartbeat", midnight + beat * _BEAT, through_api=False)

    def one(self, kind: str, at: float, *, through_api: bool = True) -> Request:
        """Some invocation of a kind."""
        return Request(at, self.chance.choice(self.recordings[kind]), through_api)

    def instead(self, requests: Sequence[Request], kind: str, *of: str) -> Iterator[Request]:
        """Put another kind in the place of some."""
        for request in requests:
            if request.invocation.kind in of:
                yield self.one(kind, request.at, through_api=request.through_api)
            else:
                yield request

    def bursts(self, kind: str, size: int) -> Iterator[Request]:
        """So many requests at once, each minute."""
        for at in range(int(CAUSE[0]), int(CAUSE[1]), MINUTE):
            yield from (self.one(kind, at + number / 100) for number in range(size))


Cause = Callable[[Traffic, Sequence[Request]], Iterator[Request]]
"""From the requests of three ordinary hours to those of a drill."""


def without(*kinds: str) -> Cause:
    """Those kinds do not come any more."""
    return lambda _, requests: (each for each in requests if each.invocation.kind not in kinds)


def instead(kind: str, *of: str) -> Cause:
    """Another kind comes in their place."""
    return lambda traffic, requests: traffic.instead(requests, kind, *of)


def all_become(kind: str) -> Cause:
    """Whatever is asked, this happens."""
    return lambda traffic, requests: (
        traffic.one(kind, each.at, through_api=each.through_api) for each in requests
    )


def one_in(count: int, kind: str) -> Cause:
    """Every so many requests, one of this kind."""
    return lambda traffic, requests: (
        traffic.one(kind, each.at) if number % count == 0 else each
        for number, each in enumerate(requests)
    )


def times(count: int) -> Cause:
    """The same requests, so many times."""
    return lambda _, requests: (
        each._replace(at=each.at + again) for each in requests for again in range(count)
    )


def bursts(kind: str, size: int) -> Cause:
    """The ordinary requests, and bursts of another kind."""

    def changed(traffic: Traffic, requests: Sequence[Request]) -> Iterator[Request]:
        yield from requests
        yield from traffic.bursts(kind, size)

    return changed


def nothing() -> Cause:
    """Silence: not even the heartbeat."""
    return lambda _traffic, _requests: iter(())


def unchanged() -> Cause:
    """What is asked is as always."""
    return lambda _traffic, requests: iter(requests)
