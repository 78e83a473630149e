"""What several commands share: their common arguments, and the file of rejected rows."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from model_build.corpus import CorpusError, Rejects
from model_build.corpus.reading import SUFFIXES

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_questions(command: argparse.ArgumentParser) -> None:
    """Declare ``--questions`` and ``--rejects``."""
    command.add_argument(
        "--questions",
        nargs="+",
        required=True,
        type=Path,
        metavar="FILE",
        help=SUFFIXES,
    )
    command.add_argument(
        "--rejects",
        type=Path,
        metavar="FILE.jsonl",
        help="write rows that cannot be used to this file (default: next to the output)",
    )


def add_files(command: argparse.ArgumentParser, name: str, explanation: str) -> None:
    """Declare an option that takes any number of files, and has none if it is not given."""
    command.add_argument(name, nargs="+", type=Path, default=[], metavar="FILE", help=explanation)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Declare ``--jobs``."""
    command.add_argument(
        "--jobs",
        type=int,
        default=-1,
        help="number of processes; -1 for one per processor (default: %(default)s)",
    )


def add_seed(command: argparse.ArgumentParser) -> None:
    """Declare ``--seed``."""
    command.add_argument(
        "--seed", type=int, default=0, help="for random choices (default: %(default)s)"
    )


def rejects_of(
    options: argparse.Namespace, output: Path, *, more_inputs: Sequence[Path] = ()
) -> Rejects:
    """Open the file for rows that cannot be used.

    Raises
    ------
    CorpusError
        If it is one of the files with questions.
    """
    path: Path = options.rejects or output.with_name(f"{output.name}.rejects.jsonl")
    if path.resolve() in (file.resolve() for file in [*options.questions, *more_inputs]):
        raise CorpusError(f"{path}: this file holds questions. Name another file with --rejects.")
    return Rejects(path)
