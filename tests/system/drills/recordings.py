"""Recordings of the running image: what it wrote and answered, for each invocation."""

import json
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lambda_src.api.middleware import ROUTES_WITH_OWN_THROTTLE
from scripts.event_store.replaying import EVENT_LINES
from tests.support.api_gateway import gateway_event
from tests.support.cloudwatch.emf import read_log
from tests.support.cloudwatch.samples import Sample
from tests.system.containers import RunningFunction

_INVOCATION = re.compile(rb"^START RequestId: .*\n", flags=re.MULTILINE)
_REPORT = re.compile(rb"^REPORT RequestId: .*?\tDuration: ([\d.]+) ms", flags=re.MULTILINE)


class Invocation(NamedTuple):
    """One invocation of the running image."""

    kind: str
    """A word for what was sent, by which the drills choose recordings."""
    samples: list[Sample]
    """The metrics in this invocation's part of the log, with their real timestamps."""
    duration: float
    """Seconds in the log's REPORT line; the time that the caller waited if the start failed."""
    waited: float
    """Seconds until the caller got the answer."""
    status: int | None
    """The status of the function's answer. None if the function failed and gave no answer."""
    log_bytes: int
    """The size of this invocation's part of the log."""
    events: tuple[str, ...] = ()
    """The event lines in this part, which the subscription passes to the event archive."""


def record(
    function: RunningFunction, kind: str, events: Iterable[dict[str, Any]]
) -> list[Invocation]:
    """Invoke the running image with each event, and read what it wrote meanwhile."""
    before = len(_parts(function.log()))
    answers: list[tuple[float, int | None]] = []
    for event in events:
        start = time.perf_counter()
        answer = function.invoke(event)
        answers.append((time.perf_counter() - start, _status(answer.body)))
    parts = _parts(_settled(function, before + len(answers)))[before:]
    assert len(parts) == len(answers), "the log does not have one part for each invocation"
    return [
        Invocation(
            kind, read_log(part), _duration(part, waited), waited, status, len(part), _events(part)
        )
        for part, (waited, status) in zip(parts, answers, strict=True)
    ]


def questions(bodies: Sequence[dict[str, Any]], path: str = "/predict") -> list[dict[str, Any]]:
    """Make the events that API Gateway sends to the function."""
    route = f"POST {path}" if f"POST {path}" in ROUTES_WITH_OWN_THROTTLE else "$default"
    return [gateway_event("POST", path, json.dumps(body), route=route) for body in bodies]


def _settled(function: RunningFunction, count: int) -> bytes:
    """Read the log once it contains all invocations and does not grow any more."""
    before = log = b""
    for _ in range(50):
        log = function.log()
        reported = log == before or log.splitlines()[-1].startswith(b"REPORT")
        if reported and len(_parts(log)) == count:
            break
        time.sleep(0.2)
        before = log
    return log


def _parts(log: bytes) -> list[bytes]:
    return _INVOCATION.split(log)[1:]


def _events(part: bytes) -> tuple[str, ...]:
    return tuple(line for line in part.decode().split("\n") if EVENT_LINES in line)


def _duration(part: bytes, waited: float) -> float:
    report = _REPORT.search(part)
    return float(report[1]) / 1000 if report else waited


def _status(body: bytes) -> int | None:
    """Return the status inside an answer. The interface emulator answers failures with 200, too."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer.get("statusCode") if isinstance(answer, dict) else None
