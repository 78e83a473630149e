"""Measure how long each stage of a training takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimes:
    """The wall-clock time of each stage, in the order in which the stages begin."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Measure the time that the block takes; blocks of the same stage are added up."""
        self.seconds.setdefault(stage, 0.0)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started

    def table(self) -> str:
        """Format one line per stage, and one with the sum."""
        rows = [*self.seconds.items(), ("all stages", sum(self.seconds.values()))]
        width = max(len(stage) for stage, _ in rows)
        return "\n".join(f"{stage:<{width}}  {seconds:8.1f} s" for stage, seconds in rows)
