"""How often the gate passes a challenger that is as good, and fails one that is worse.

Two models answer the questions once; each round then draws questions again. For a challenger that
is as good, the two answers to a question change places at random, so that neither side is better.
For one that is worse, a share of the challenger's answers is then emptied.
"""

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np

from lambda_src.tagger import TagModel
from model_build.corpus import Rejects, read_corpus
from model_build.gate.decision import FAIL, NOT_ENOUGH, PASS, Limits, judge_answers
from model_build.gate.paired import sample_jaccards, suggested_tags
from scripts.benchmarks.paths import CACHE
from scripts.shared.tables import table

_LOSSES: Final = (0.0, 0.01, 0.02)
"""How much sample Jaccard the challenger has less than the champion."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench gate`."""
    for name in ("champion", "challenger"):
        command.add_argument(f"--{name}", required=True, type=Path, metavar="MODEL.safetensors")
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[3_000, 6_000, 12_000],
        metavar="N",
        help="numbers of questions of a gate (default: 3000 6000 12000)",
    )
    command.add_argument("--rounds", type=int, default=200, help="(default: %(default)s)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Draw the rounds, print the table, and return the rates."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "gate.rejects.jsonl") as rejects:
        questions = read_corpus(options.questions, rejects)
    truths = np.array([frozenset(each.tags) for each in questions], dtype=object)
    models = TagModel.load(options.champion), TagModel.load(options.challenger)
    answers = np.array([suggested_tags(model, questions) for model in models], dtype=object)
    mean = float(np.mean([sample_jaccards(each, truths.tolist()) for each in answers]))
    rates = []
    for n_questions in options.sizes:
        for loss in _LOSSES:
            random = np.random.default_rng(0)
            outcomes = []
            for _ in range(options.rounds):
                rows = random.integers(len(questions), size=n_questions)
                drawn = answers[:, rows]
                swapped = random.uniform(size=n_questions) < 0.5
                drawn[:, swapped] = drawn[::-1, swapped]
                drawn[1, random.uniform(size=n_questions) < loss / mean] = frozenset()
                outcome, _ = judge_answers(
                    drawn[0].tolist(), drawn[1].tolist(), truths[rows].tolist(), Limits()
                )
                outcomes.append(outcome)
            shares = {
                name: outcomes.count(name) / len(outcomes) for name in (PASS, FAIL, NOT_ENOUGH)
            }
            rates.append({"questions": n_questions, "loss": loss, **shares})
    header = ["Questions", "Worse by", PASS, FAIL, NOT_ENOUGH]
    rows_of_table = [
        [f"{each['questions']:,}", f"{each['loss']:.2f}"]
        + [f"{each[name]:.1%}" for name in (PASS, FAIL, NOT_ENOUGH)]
        for each in rates
    ]
    print(table(header, rows_of_table))
    return {"rounds": options.rounds, "rates": rates}
