"""Run other programs and show their output when they fail."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.shared.terminal import UserError

_SHOWN_LINES = 30


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 900,
    with_errors: bool = False,
) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Parameters
    ----------
    command
        The program and its arguments.
    env
        Environment variables that override those of this process.
    cwd
        The working folder.
    timeout
        Seconds after which the program is killed.
    with_errors
        Append what the program wrote to standard error.

    Raises
    ------
    UserError
        If the program is not installed, fails, or exceeds the timeout. The message contains the
        last lines of its output.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise UserError(
            f"{words[0]} is not installed. Run scripts/local_aws prepare to install it."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{' '.join(words)} did not end within {timeout:.0f} s.") from error
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN_LINES:])
        raise UserError(f"{' '.join(words)} failed with exit code {done.returncode}:\n{output}")
    return done.stdout + (done.stderr if with_errors else "")
