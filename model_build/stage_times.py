"""Measure how long each stage of a training takes, and how much memory it needs."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BYTES_PER_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Of ``ru_maxrss``: macOS counts in bytes, Linux in KiB."""


class StageTimes:
    """The wall-clock time of each stage, in the order in which the stages begin."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_bytes: dict[str, int] = {}
        """The most memory that this process had used when the stage ended, since it started. The
        processes that fit regressions are not included."""

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Measure the time that the block takes; blocks of the same stage are added up."""
        self.seconds.setdefault(stage, 0.0)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self.peak_bytes[stage] = peak * _BYTES_PER_UNIT

    def table(self) -> str:
        """Format one line per stage, and one with the sum of the times and the peak of memory."""
        rows = [
            *((stage, seconds, self.peak_bytes[stage]) for stage, seconds in self.seconds.items()),
            ("all stages", sum(self.seconds.values()), max(self.peak_bytes.values(), default=0)),
        ]
        width = max(len(stage) for stage, _, _ in rows)
        return "\n".join(
            f"{stage:<{width}}  {seconds:8.1f} s  peak {peak / 1e6:6.0f} MB"
            for stage, seconds, peak in rows
        )
