"""The command ``score``."""

import argparse
from pathlib import Path

from model_build.commands.arguments import Commands, add_jobs
from model_build.corpus.reading import SUFFIXES
from model_build.scoring import score


def add_command(commands: Commands) -> None:
    """Declare ``score``."""
    command = commands.add_parser("score", help="suggest tags for an archive of questions")
    command.add_argument(
        "--model",
        required=True,
        type=Path,
        metavar="MODEL.safetensors",
        help="the bundle that suggests",
    )
    command.add_argument(
        "--questions", nargs="+", required=True, type=Path, metavar="FILE", help=SUFFIXES
    )
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="the folder for the results, one .parquet file per part; a part that is there is not "
        "scored again",
    )
    add_jobs(command)
    command.set_defaults(run=_score)


def _score(options: argparse.Namespace) -> None:
    found = score(options.model, options.questions, options.out, jobs=options.jobs)
    if found.parts_before:
        print(f"{found.parts_before} parts were there before")
    print(
        f"{options.out}: {found.questions} questions in {found.parts} parts, "
        f"{found.per_second:.0f} questions per second of a core"
    )
