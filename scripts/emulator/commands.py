"""Running other programs, so that a failure shows what they said."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.emulator.console import LocalAwsError

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
        Program and arguments.
    env
        Variables over those of this process.
    cwd
        Folder to run in.
    timeout
        Seconds after which the program is ended.
    with_errors
        Return what it wrote to standard error, too, after the rest.

    Raises
    ------
    LocalAwsError
        If the program is absent, fails or does not end in time; with its last lines.
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
        raise LocalAwsError(
            f"{words[0]} is not installed: run scripts/local_aws prepare"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LocalAwsError(f"{' '.join(words)} did not end within {timeout:.0f} s") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN_LINES:])
        raise LocalAwsError(f"{' '.join(words)} failed with status {done.returncode}:\n{said}")
    return done.stdout + (done.stderr if with_errors else "")
