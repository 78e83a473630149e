"""The question before something changes."""

import sys

from scripts.releasing.errors import ReleaseError


def agree(question: str, *, yes: bool, otherwise: str) -> None:
    """Ask a person, unless the answer was given beforehand.

    Parameters
    ----------
    question
        Such as "Deploy this?".
    yes
        The answer of the command line (`--yes`): nobody is asked.
    otherwise
        What the error says if the answer is no.

    Raises
    ------
    ReleaseError
        If the answer is no.
    """
    if yes:
        return
    refuse_without_terminal()
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ReleaseError(otherwise)


def refuse_without_terminal() -> None:
    """Raise an error if nobody can be asked.

    Raises
    ------
    ReleaseError
        If standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise ReleaseError("Not a terminal: pass --yes to go on without confirmation.")
