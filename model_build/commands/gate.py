"""The command ``gate``."""

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Final

from lambda_src.tagger import TagModel
from model_build.commands.arguments import Commands
from model_build.corpus import Rejects, read_corpus
from model_build.corpus.reading import SUFFIXES
from model_build.gate.behaviour import SHIPPED, read_tests
from model_build.gate.decision import FAIL, NOT_ENOUGH, PASS, Limits, decide, summary
from model_build.gate.errors import GateError
from model_build.gate.unseen import choose_unseen, newest_question
from model_build.tracking.environment import call, tracking_uri

EXIT_CODES: Final = {PASS: 0, FAIL: 1, NOT_ENOUGH: 3}
"""2 is the exit code of a wrong command line or file."""
_DEFAULTS: Final = Limits()


def add_command(commands: Commands) -> None:
    """Declare ``gate``."""
    gate = commands.add_parser(
        "gate",
        help="decide whether a challenger may replace the champion",
        epilog="Exit codes: 0 pass, 1 fail, 3 not enough questions, 2 an error.",
    )
    for name in ("champion", "challenger"):
        gate.add_argument(
            f"--{name}", required=True, type=Path, metavar="MODEL.safetensors", help="a bundle"
        )
    gate.add_argument(
        "--questions",
        nargs="+",
        required=True,
        type=Path,
        metavar="FILE",
        help=f"questions that are newer than both corpora; older ones are left out ({SUFFIXES})",
    )
    gate.add_argument(
        "--corpus",
        nargs="+",
        default=[],
        type=Path,
        metavar="FILE",
        help="the files of both corpora: near-duplicates of their questions are left out",
    )
    dates = gate.add_mutually_exclusive_group()
    dates.add_argument(
        "--newer-than",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day of the newest question in either corpus (default: the bundles say it)",
    )
    dates.add_argument(
        "--any-date",
        action="store_true",
        help="do not compare dates, for corpora without dates: you know that the questions are in "
        "neither corpus. Needs --corpus",
    )
    gate.add_argument(
        "--json",
        required=True,
        type=Path,
        metavar="GATE.json",
        help="write the decision and its figures to this file",
    )
    gate.add_argument(
        "--behaviour",
        type=Path,
        default=SHIPPED,
        metavar="FILE.jsonl",
        help='behavioural tests, one {"title", "body", "expect": [tags]} per line (default: '
        "questions about programming)",
    )
    for name, kind, what in (
        ("min-questions", int, "how many usable questions are needed"),
        ("max-time-ratio", float, "how much longer an answer may take than the champion's"),
        ("max-size-ratio", float, "how much larger the bundle may be than the champion's"),
    ):
        default = getattr(_DEFAULTS, name.replace("-", "_"))
        gate.add_argument(
            f"--{name}", type=kind, default=default, help=f"{what} (default: %(default)s)"
        )
    gate.add_argument(
        "--track",
        nargs="?",
        const=tracking_uri(),
        metavar="URI",
        help="also write the decision to the challenger's run and versions on this MLflow server",
    )
    gate.set_defaults(run=_gate)


def _gate(options: argparse.Namespace) -> int:
    if options.any_date and not options.corpus:
        raise GateError(
            "--any-date: name the files of both corpora with --corpus, so that questions which the "
            "models have seen are left out."
        )
    # A decision of an earlier run must not be taken for this one's.
    options.json.unlink(missing_ok=True)
    rejects_path = options.json.with_name(f"{options.json.name}.rejects.jsonl")
    newer_than = options.newer_than
    if newer_than is None and not options.any_date:
        models = TagModel.load(options.champion), TagModel.load(options.challenger)
        newer_than = max(map(newest_question, models))
    with Rejects(rejects_path) as rejects:
        questions = read_corpus(options.questions, rejects)
        corpus = read_corpus(options.corpus, rejects)
    decision = decide(
        options.champion,
        options.challenger,
        choose_unseen(questions, newer_than=newer_than, corpus=corpus),
        read_tests(options.behaviour),
        Limits(
            min_questions=options.min_questions,
            max_time_ratio=options.max_time_ratio,
            max_size_ratio=options.max_size_ratio,
        ),
    )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(decision, indent=2) + "\n", encoding="utf-8")
    print(summary(decision))
    if options.track:
        done = call("record_gate", options.track, decision=decision, path=options.json.resolve())
        print(f"recorded on run {done['run_id']} and versions {', '.join(done['versions']) or '-'}")
    return EXIT_CODES[decision["decision"]]
