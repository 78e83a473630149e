"""The command ``split``."""

import argparse
import json
from pathlib import Path
from typing import Final

from model_build.commands.arguments import Commands, add_questions, add_seed, rejects_of
from model_build.corpus import read_corpus, write_questions
from model_build.splitting import SPLIT_FACTS, is_dated, split

PARTS: Final = ("train", "validation", "test")


def add_command(commands: Commands) -> None:
    """Declare ``split``."""
    command = commands.add_parser(
        "split", help="split a corpus into the parts train, validation and test"
    )
    add_questions(command)
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="the folder for the parts, one .parquet file each",
    )
    command.add_argument(
        "--shares",
        nargs=3,
        type=float,
        default=[0.8, 0.1, 0.1],
        metavar=("TRAIN", "VALIDATION", "TEST"),
        help="the share of the questions in each part (default: 0.8 0.1 0.1)",
    )
    add_seed(command)
    command.set_defaults(run=_split)


def _split(options: argparse.Namespace) -> None:
    with rejects_of(options, options.out) as rejects:
        questions = read_corpus(options.questions, rejects)
    kind = "time-ordered" if is_dated(questions) else "random"
    for name, part in zip(PARTS, split(questions, options.shares, options.seed), strict=True):
        path = options.out / f"{name}.parquet"
        write_questions(part, path)
        print(f"{path}: {len(part)} questions ({kind} split)")
    facts = {"kind": kind, "shares": options.shares, "seed": options.seed}
    (options.out / SPLIT_FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")
