"""What each ingredient of the model adds: trained without it, judged on the same questions."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lambda_src.tagger import Suggestion, TagModel
from model_build.bundle_writer import write_bundle
from model_build.corpus import Rejects, read_corpus
from model_build.evaluation import judge
from model_build.figures import Judged, figures
from model_build.intervals import intervals
from model_build.questions import Question
from model_build.splitting import split
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.training import TrainingOptions, fit
from scripts.benchmarks.table import table

COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "ece": "ECE",
}


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what `scripts/bench ablation` takes."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument("--most", type=int, default=12_000, help="questions used (12000)")
    command.add_argument("--min-tag-count", type=int, default=20, help="uses a tag needs (20)")
    command.add_argument("--seed", type=int, default=0, help="of the split")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train every variant on four fifths of the questions, judge it by the rest, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        with Rejects(Path(folder) / "rejects.jsonl") as rejects:
            questions = read_corpus(options.questions, rejects)
        step = max(1, len(questions) // options.most)
        train, test = split(questions[::step], [0.8, 0.2], options.seed)
        rows: list[dict[str, Any]] = []
        spread = {}
        whole = TrainingOptions(min_tag_count=options.min_tag_count, prune=0.35)
        for name, variant in _variants(whole).items():
            print(f"ablation: {name}", file=sys.stderr)
            model = _train(train, variant, Path(folder) / "model.safetensors")
            judged = judge(model, test)
            rows.append({"variant": name, **figures(judged, model.tags)})
            if name == "all":
                spread = intervals(judged, model.tags)
                rows.append(
                    {
                        "variant": "raw scores, no calibrator",
                        **_ranking(_raw(model, test), model),
                    }
                )
    low, high = spread["sample_jaccard"]
    print(f"{len(train)} questions to learn from, {len(test)} to judge by;")
    print(f"95 % interval of the first sample Jaccard: {low:.3f} to {high:.3f}")
    cells = [[row["variant"], *(_cell(row.get(name)) for name in COLUMNS)] for row in rows]
    print(table(["Variant", *COLUMNS.values()], cells))
    return {"variants": rows, "train": len(train), "test": len(test)}


def _variants(whole: TrainingOptions) -> dict[str, TrainingOptions]:
    features = whole.features
    return {
        "all": whole,
        "no pairs of words": replace(whole, features=replace(features, min_pair_count=10**9)),
        "no code": replace(whole, features=replace(features, code_weight=0.0)),
        "title counts like prose": replace(whole, features=replace(features, title_weight=1)),
        "plain idf": replace(whole, features=replace(features, rarity=1.0)),
        "classes not balanced": replace(whole, balance=0.0),
        "no pruning": replace(whole, prune=0.0),
        "all negatives, not sampled": replace(whole, near=10**9),
    }


def _train(questions: Sequence[Question], options: TrainingOptions, path: Path) -> TagModel:
    write_bundle(fit(questions, options, read_synonyms([WELL_KNOWN])), path, corpus={})
    return TagModel.load(path)


def _raw(model: TagModel, questions: Sequence[Question]) -> list[Judged]:
    judged = []
    for question in questions:
        scores = model.scores(question.title, question.body_html, "html")
        best = np.argsort(-scores, kind="stable")[:10]
        ranked = [Suggestion(model.tags[tag], float(scores[tag])) for tag in best]
        judged.append(Judged(frozenset(question.tags), ranked, []))
    return judged


def _ranking(judged: Sequence[Judged], model: TagModel) -> dict[str, float]:
    measured = figures(judged, model.tags)
    return {name: measured[name] for name in ("precision_at_1", "recall_at_5")}


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
