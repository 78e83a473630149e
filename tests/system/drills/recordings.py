"""What the running image wrote and answered, invocation by invocation."""

import json
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.cloudwatch.emf import read_log
from tests.cloudwatch.samples import Sample
from tests.support.api_gateway import gateway_event
from tests.system.containers import RunningFunction

_INVOCATION = re.compile(rb"^START RequestId: .*\n", flags=re.MULTILINE)
_REPORT = re.compile(rb"^REPORT RequestId: .*?\tDuration: ([\d.]+) ms", flags=re.MULTILINE)


class Invocation(NamedTuple):
    """One invocation of the running image."""

    kind: str
    """What it was, in a word, for the drills."""
    samples: list[Sample]
    """The metrics in its part of the log, still stamped with when it happened."""
    duration: float
    """Seconds that the log's report says; what the caller waited, where a start failed."""
    waited: float
    """Seconds until the caller had the answer."""
    status: int | None
    """Of the function's answer; None where it failed and gave none."""


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
    assert len(parts) == len(answers), "the log does not hold what was invoked"
    return [
        Invocation(kind, read_log(part), _duration(part, waited), waited, status)
        for part, (waited, status) in zip(parts, answers, strict=True)
    ]


def questions(bodies: Sequence[dict[str, Any]], path: str = "/predict") -> list[dict[str, Any]]:
    """Make the events by which API Gateway hands requests to the function."""
    return [gateway_event("POST", path, json.dumps(body)) for body in bodies]


def _settled(function: RunningFunction, count: int) -> bytes:
    """Read the log when all invocations stand in it and nothing more comes."""
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


def _duration(part: bytes, waited: float) -> float:
    report = _REPORT.search(part)
    return float(report[1]) / 1000 if report else waited


def _status(body: bytes) -> int | None:
    """The status within an answer; the interface emulator gives 200 to failures, too."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer.get("statusCode") if isinstance(answer, dict) else None
