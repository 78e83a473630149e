"""Requests that arrive at a rate, whether earlier ones have been answered or not.

People do not wait for each other's answers. A measurement that sends a request only after the
answer to the one before sends less when the service is slow, and so hides how long people would
wait: B. Schroeder, A. Wierman and M. Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI
2006. For the same reason a latency counts from the time at which the request was due.
"""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from scripts.benchmarks.keep_alive import Connection
from scripts.benchmarks.request_mix import HttpRequest
from scripts.benchmarks.running_services import Copy, Server

NO_ANSWER = (OSError, asyncio.IncompleteReadError)
REFUSED = (429, 503)
BROKEN = 0
"""Counted in place of a status if there was no answer."""


class Front(ABC):
    """What callers send their requests to."""

    @abstractmethod
    def processor_seconds(self) -> float:
        """Return what the processes that answer have used of the processor."""

    @abstractmethod
    async def ask(self, request: HttpRequest) -> int:
        """Send a request and return the status of the answer."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections."""


class ServerFront(Front):
    """Sends requests to a server on as many connections as there are requests on their way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[Connection] = []

    def processor_seconds(self) -> float:
        """Return what the server has used of the processor."""
        return self._server.resources().processor_seconds

    async def ask(self, request: HttpRequest) -> int:
        """Send a request and return the status of the answer."""
        # uvicorn closes connections that are idle for five seconds, so one of those may be closed.
        while self._idle:
            with suppress(*NO_ANSWER):
                return await self._ask(self._idle.pop(), request)
        try:
            return await self._ask(await Connection.open(self._server.host), request)
        except NO_ANSWER:
            return BROKEN

    async def _ask(self, connection: Connection, request: HttpRequest) -> int:
        try:
            status, _ = await self._server.send(connection, request)
        except NO_ANSWER:
            await connection.aclose()
            raise
        self._idle.append(connection)
        return status

    async def aclose(self) -> None:
        """Close the connections."""
        for each in self._idle:
            await each.aclose()


class LambdaFront(Front):
    """Gives each copy of the function one request at a time, as Lambda does.

    If no copy is free, Lambda refuses the request at once. API Gateway answers it with 503.
    """

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._copies = copies
        self._free = list(copies)
        self._connections: dict[Copy, Connection] = {}

    def processor_seconds(self) -> float:
        """Return what the functions in the copies have used of the processor."""
        return sum(each.resources().processor_seconds for each in self._copies)

    async def ask(self, request: HttpRequest) -> int:
        """Send a request and return the status of the answer."""
        if not self._free:
            return 503
        copy = self._free.pop()
        try:
            if copy not in self._connections:
                self._connections[copy] = await Connection.open(copy.host)
            status, _ = await copy.send(self._connections[copy], request)
        except NO_ANSWER:
            if copy in self._connections:
                await self._connections.pop(copy).aclose()
            return BROKEN
        finally:
            self._free.append(copy)
        return status

    async def aclose(self) -> None:
        """Close the connections."""
        for each in self._connections.values():
            await each.aclose()


@dataclass
class Outcome:
    """What became of the requests of a run."""

    offered: float
    """Requests per second that were due."""
    seconds: float
    """From the first request to the last answer."""
    latencies: list[float] = field(default_factory=list)
    """Of the answered requests, in seconds, in the order in which they were answered."""
    statuses: Counter[int] = field(default_factory=Counter)
    """How many requests had each status."""
    late: list[float] = field(default_factory=list)
    """How late each request was sent, in seconds: what the measuring process adds itself."""
    processor_seconds: float = 0.0
    """What the service used of the processor."""

    @property
    def processor_ms(self) -> float:
        """Milliseconds of the processor per request, refused ones included.

        Other programs on the machine change it much less than the latencies.
        """
        return 1000 * self.processor_seconds / self.statuses.total()

    @property
    def answered_per_second(self) -> float:
        """The throughput."""
        return len(self.latencies) / self.seconds

    @property
    def refused_share(self) -> float:
        """The share of the requests that were refused."""
        return sum(self.statuses[each] for each in REFUSED) / self.statuses.total()

    @property
    def failures(self) -> int:
        """How many requests were neither answered nor refused."""
        known = {200, 202, *REFUSED}
        return sum(count for status, count in self.statuses.items() if status not in known)

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies in milliseconds, such as that of 0.95."""
        return float(np.quantile(self.latencies, share)) * 1000 if self.latencies else float("nan")


async def open_loop(
    front: Front, requests: Iterator[HttpRequest], *, rate: float, seconds: float, seed: int = 0
) -> Outcome:
    """Send requests at random times (a Poisson process), and wait for all answers.

    Parameters
    ----------
    front
        Where the requests go.
    requests
        What is sent.
    rate
        Requests per second, on average.
    seconds
        How long requests are sent: about `rate * seconds` in all.
    seed
        Of the times.
    """
    used_before = front.processor_seconds()
    chance = random.Random(seed)  # noqa: S311 (times, not a secret)
    outcome = Outcome(rate, seconds)
    start = time.perf_counter()

    async def send(due: float) -> None:
        outcome.late.append(time.perf_counter() - due)
        status = await front.ask(next(requests))
        outcome.statuses[status] += 1
        if status < 300 and status != BROKEN:
            outcome.latencies.append(time.perf_counter() - due)

    due = start
    tasks = set()
    while (due := due + chance.expovariate(rate)) < start + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(send(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    outcome.seconds = time.perf_counter() - start
    outcome.processor_seconds = front.processor_seconds() - used_before
    return outcome


async def closed_loop(
    front: Front, requests: Iterator[HttpRequest], *, callers: int, seconds: float
) -> float:
    """Return how many requests per second are answered if each caller waits for its answer.

    It estimates the saturation, from which the rates of `open_loop` are chosen.
    """
    end = time.perf_counter() + seconds
    answered = 0

    async def ask_again() -> None:
        nonlocal answered
        while time.perf_counter() < end:
            status = await front.ask(next(requests))
            answered += status == 200

    await asyncio.gather(*(ask_again() for _ in range(callers)))
    return answered / seconds
