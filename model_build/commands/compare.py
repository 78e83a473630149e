"""The command ``compare``."""

import argparse
import json
from pathlib import Path
from typing import Final

from model_build.commands.arguments import Commands
from model_build.compare.candidates import EMBEDDINGS, VARIANTS, names
from model_build.compare.comparison import Parts, compare, pareto_front
from model_build.compare.errors import CompareError
from model_build.compare.output import draw, table
from model_build.corpus import Rejects, read_corpus
from model_build.corpus.reading import SUFFIXES
from model_build.splitting import is_dated, split
from model_build.tracking.environment import call, require_environment, tracking_uri

_VALIDATION_SHARE: Final = 0.2
RESULT: Final = "comparison.json"
PICTURE: Final = "pareto.png"


def add_command(commands: Commands) -> None:
    """Declare ``compare``."""
    command = commands.add_parser(
        "compare", help="train candidates, and select the one with the best sample Jaccard"
    )
    command.add_argument(
        "--questions", nargs="+", required=True, type=Path, metavar="FILE", help=SUFFIXES
    )
    command.add_argument(
        "--validation",
        nargs="+",
        default=[],
        type=Path,
        metavar="FILE",
        help="the questions that select (default: a fifth of --questions, the newest if they have "
        "dates, which is then not trained on)",
    )
    command.add_argument(
        "--candidates",
        default=",".join(names()),
        metavar="A,B",
        help=f"some of {', '.join([*VARIANTS, EMBEDDINGS])} (default: all; {EMBEDDINGS} only if "
        "the environment of scripts/bench quality is installed)",
    )
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help=f"the folder for the bundles, the table, {RESULT} and {PICTURE}",
    )
    command.add_argument(
        "--min-tag-count",
        type=int,
        default=20,
        help="leave out tags with fewer uses than this (default: %(default)s)",
    )
    command.add_argument("--jobs", type=int, default=-1, help="number of processes")
    command.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    command.add_argument(
        "--track",
        nargs="?",
        const=tracking_uri(),
        metavar="URI",
        help="also record the comparison and each candidate on this MLflow server",
    )
    command.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> None:
    chosen = options.candidates.split(",")
    available = names()
    for name in chosen:
        if name not in available:
            missing = " (it needs scripts/bench quality once)" if name == EMBEDDINGS else ""
            raise CompareError(
                f"--candidates: there is no {name!r} here{missing}. Choose some of "
                f"{', '.join(available)}."
            )
    if options.track:
        require_environment()
    options.out.mkdir(parents=True, exist_ok=True)
    with Rejects(options.out / "rejects.jsonl") as rejects:
        questions = read_corpus(options.questions, rejects)
        validation = read_corpus(options.validation, rejects)
    how = ", ".join(path.name for path in options.validation)
    if not validation:
        how = "the newest fifth" if is_dated(questions) else f"a random fifth, seed {options.seed}"
        shares = (1 - _VALIDATION_SHARE, _VALIDATION_SHARE)
        questions, validation = split(questions, shares, options.seed)
    candidates = compare(
        chosen,
        Parts(questions, validation),
        min_tag_count=options.min_tag_count,
        jobs=options.jobs,
        seed=options.seed,
        folder=options.out,
    )
    result = {
        "files": [path.name for path in options.questions],
        "training_questions": len(questions),
        "validation_questions": len(validation),
        "validation": how,
        "min_tag_count": options.min_tag_count,
        "selected": candidates[0]["name"],
        "pareto_front": pareto_front(candidates),
        "candidates": candidates,
    }
    (options.out / RESULT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    written = table(candidates)
    (options.out / "comparison.md").write_text(written + "\n", encoding="utf-8")
    draw(candidates, options.out / PICTURE)
    print(written)
    print(f"selected: {result['selected']}, on {len(validation)} questions ({how})")
    if options.track:
        done = call("record_comparison", options.track, folder=options.out.resolve())
        print(f"run {done['run_name']} ({done['run_id']}) recorded on {options.track}")
