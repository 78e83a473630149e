"""Command-line options that several benchmarks have in common, and what they name."""

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence, Sized
from itertools import accumulate
from pathlib import Path

from model_build.corpus import Rejects, read_corpus
from model_build.questions import Question


def add_corpus_options(command: argparse.ArgumentParser) -> None:
    """Declare the options for the questions, the tags and the split."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--min-tag-count",
        type=int,
        default=20,
        help="minimum number of questions of a tag (default: 20)",
    )
    command.add_argument("--seed", type=int, default=0, help="seed of the split (default: 0)")


def names_among(known: Collection[str], kind: str) -> Callable[[str], list[str]]:
    """Return a parser for a comma-separated list of names.

    Parameters
    ----------
    known
        The valid names.
    kind
        What the names stand for, such as "system", for the error message.
    """

    def parse(names: str) -> list[str]:
        for name in names.split(","):
            if name not in known:
                valid = ", ".join(known)
                raise argparse.ArgumentTypeError(f"unknown {kind} {name!r}; choose from: {valid}")
        return names.split(",")

    return parse


def read_by_file(paths: Sequence[Path], rejects: Rejects) -> dict[str, list[Question]]:
    """Read the questions of each file, by the file's name; by its path if names are not unique."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = list(map(str, paths))
    return {name: read_corpus([path], rejects) for name, path in zip(names, paths, strict=True)}


def rows_by_file(files: Mapping[str, Sized]) -> dict[str, range]:
    """List the rows of each file where the questions of all files follow one another.

    Examples
    --------
    >>> rows_by_file({"first": ["a", "b"], "second": ["c"]})
    {'first': range(0, 2), 'second': range(2, 3)}
    """
    ends = list(accumulate(map(len, files.values())))
    return {
        file: range(end - len(members), end)
        for (file, members), end in zip(files.items(), ends, strict=True)
    }
