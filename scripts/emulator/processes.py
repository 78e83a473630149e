"""Background processes that one command starts and a later command ends."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.shared.terminal import UserError

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 15
_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""The processes that this process started; a later command knows only their identifiers."""


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    ready: Callable[[], bool],
) -> int:
    """Start a program that keeps running after this one ends, and wait until it is ready.

    Parameters
    ----------
    command
        The program and its arguments.
    env
        Its complete environment.
    log
        The file for its output.
    ready
        Called repeatedly until it returns true.

    Returns
    -------
    int
        The process identifier, for `end`.

    Raises
    ------
    UserError
        If it does not become ready. The message contains the end of its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=dict(env),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN[process.pid] = process
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise UserError(f"{command[0]} did not start. The end of its log:\n{last_lines}")
            time.sleep(0.1)
    except BaseException:
        end(Path(command[0]).name, process.pid)
        raise
    return process.pid


def end(program: str, identifier: int) -> None:
    """End a process, unless its identifier now belongs to another program."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if program not in command_line(identifier):
            break
        os.kill(identifier, number)
        deadline = time.monotonic() + _STOP_SECONDS
        while program in command_line(identifier) and time.monotonic() < deadline:
            time.sleep(0.1)
    if identifier in _CHILDREN:
        _CHILDREN.pop(identifier).wait(_STOP_SECONDS)


def command_line(identifier: int) -> str:
    """Return the command line of a process, or an empty string if it has ended."""
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{identifier}/cmdline").read_text().replace("\0", " ")
        return ""
    arguments = ["ps", "-o", "command=", "-p", str(identifier)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return "" if "<defunct>" in done.stdout else done.stdout
