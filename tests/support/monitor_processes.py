"""The monitor as processes that are killed at chosen moments, or that run at the same time."""

import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lambda_src.monitor.store import FolderStore
from tests.support.drift_events import run_on

Moment = Literal["before", "within", "after"]
"""Relative to the write of a file. Within it, the content is on disk, but not under its name."""

_processes = multiprocessing.get_context("forkserver")
# The server imports them once; each process is a copy of it.
_processes.set_forkserver_preload(["tests.support.monitor_processes", "lambda_src.monitor.report"])


class Kill(NamedTuple):
    """When a process kills itself: at the write of the file with a number, beginning with 1."""

    write: int
    moment: Moment


def start(folder: Path, days: int, kill: Kill | None = None) -> BaseProcess:
    """Start a process that runs the monitor on the last of some days.

    Parameters
    ----------
    folder
        The store.
    days
        As in `run_on`.
    kill
        When the process gets SIGKILL, from which it cannot clean up.
    """
    process = _processes.Process(target=_run, args=(folder, days, kill))
    process.start()
    return process


def exit_code(process: BaseProcess) -> int | None:
    """Wait until a process has ended, and return its exit code; minus the number of a signal."""
    process.join(300)
    code = process.exitcode
    process.close()
    return code


def _run(folder: Path, days: int, kill: Kill | None) -> None:
    run_on(FolderStore(folder) if kill is None else _KilledStore(folder, kill), days)


class _KilledStore(FolderStore):
    def __init__(self, folder: Path, kill: Kill) -> None:
        super().__init__(folder)
        self._kill = kill
        self._writes = 0

    def write(self, key: str, data: bytes) -> None:
        self._writes += 1
        due = self._writes == self._kill.write
        if due and self._kill.moment == "before":
            _die()
        if due and self._kill.moment == "within":
            Path.replace = _die  # type: ignore[method-assign, assignment]
        super().write(key, data)
        if due:
            _die()


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
