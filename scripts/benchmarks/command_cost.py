"""The time and the memory of a command, including the processes that it starts."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_EVERY_SECONDS: Final = 0.25
_STANDARD_ERROR: Final = 2


class Cost(NamedTuple):
    """The cost of a command."""

    seconds: float
    peak_memory_mb: float


def run_measured(command: Sequence[str]) -> Cost:
    """Run a command and measure it; its output goes to standard error.

    On Linux, the memory is the maximum of the sum over its processes, measured four times a second;
    shared pages count once (proportional set size). Elsewhere it is the resident set size of the
    largest process.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails.
    """
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, stdout=_STANDARD_ERROR) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_held, _tree(process.pid))))
            time.sleep(_EVERY_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    if not peak:
        peak = _resident_set(resource.RUSAGE_CHILDREN)
    return Cost(seconds, peak / 1e6)


def cpu_seconds() -> float:
    """Return the processor time of this process and of its ended child processes."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _resident_set(who: int) -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit


def _tree(root: int) -> Iterator[int]:
    yield root
    for children in _PROC.glob(f"{root}/task/*/children"):
        try:
            found = children.read_text()
        except OSError:  # the process has ended
            continue
        for child in found.split():
            yield from _tree(int(child))


def _held(process: int) -> int:
    try:
        rollup = (_PROC / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in rollup.splitlines())
    return sum(int(words[1]) * 1024 for words in lines if words[0] == "Pss:")
