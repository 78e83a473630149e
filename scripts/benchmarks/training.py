"""Time and memory of training, compared with scikit-learn.

Two processes fit one logistic regression per tag on the same TF-IDF matrix. Ours fits as
`model_build.training` does, on all processor cores. The peer fits
``OneVsRestClassifier(LogisticRegression(solver="liblinear"))``, which uses one core; the ratio of
processor times excludes this difference. Both suggest their three best tags.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import joblib

from model_build.corpus import Rejects, read_corpus
from model_build.features import FeatureOptions, NotEnoughQuestionsError, fit_tfidf, tokens_of
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.splitting import split
from model_build.training import choose_tags
from model_build.truth import Truth
from scripts.benchmarks.command_cost import run_measured
from scripts.benchmarks.options import add_corpus_options
from scripts.benchmarks.paths import CACHE
from scripts.benchmarks.regression_process import Outcome, Task
from scripts.benchmarks.systems.system import answers, best_three
from scripts.shared.tables import table

TEST_SHARE: Final = 0.2


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench training`."""
    add_corpus_options(command)
    command.add_argument(
        "--tags", type=int, metavar="N", help="fit only a random sample of N tags (default: all)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both, print the table, and return the figures."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "training.rejects.jsonl") as rejects:
        questions = read_corpus(options.questions, rejects)
    found = compare(questions, options.tags, options.min_tag_count, options.seed)
    print(training_table(found))
    return found


def compare(
    questions: Sequence[Question], n_tags: int | None, min_tag_count: int, seed: int
) -> dict[str, Any]:
    """Fit both on four fifths of the questions and test them on the rest.

    Raises
    ------
    NotEnoughQuestionsError
        If no tag has `min_tag_count` training questions.
    """
    training, test = split(questions, (1 - TEST_SHARE, TEST_SHARE), seed)
    tags = [tag for tag, _ in choose_tags(training, min_tag_count)]
    if not tags:
        raise NotEnoughQuestionsError(
            f"No tag has {min_tag_count} questions among the {len(training)} training questions. "
            "Add more files or lower --min-tag-count."
        )
    n_all = len(tags)
    if n_tags is not None and n_tags < n_all:
        tags = sorted(random.Random(seed).sample(tags, n_tags))  # noqa: S311 (no secret)
    tfidf, matrix = fit_tfidf(tokens_of(training), FeatureOptions())
    task = Task(matrix, Truth.of(training, tags), tfidf.transform(tokens_of(test)))
    found: dict[str, Any] = {
        "questions": len(training),
        "terms": matrix.shape[1],
        "tags": len(tags),
        "all_tags": n_all,
    }
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(task, Path(folder) / "task.joblib")
        for kind, prefix in (("ours", ""), ("peer", "peer_")):
            print(f"{kind}: {len(tags)} tags, {len(training)} questions", file=sys.stderr)
            module = [sys.executable, "-m", "scripts.benchmarks.regression_process"]
            cost = run_measured([*module, kind, folder])
            outcome = Outcome(*joblib.load(Path(folder) / f"{kind}.joblib"))
            found |= {
                f"{prefix}seconds": outcome.seconds,
                f"{prefix}cpu_seconds": outcome.cpu_seconds,
                f"{prefix}memory_mb": cost.peak_memory_mb,
                f"{prefix}sample_jaccard": _jaccard(outcome, test, tags),
            }
    found["speedup"] = found["peer_seconds"] / found["seconds"]
    found["cpu_speedup"] = found["peer_cpu_seconds"] / found["cpu_seconds"]
    return found


def _jaccard(outcome: Outcome, test: Sequence[Question], tags: Sequence[str]) -> float:
    judged = [
        JudgedQuestion(frozenset(question.tags), *answer)
        for question, answer in zip(test, answers(outcome.scores, tags, best_three), strict=True)
    ]
    return compute_metrics(judged, tags)["sample_jaccard"]


def training_table(found: dict[str, Any]) -> str:
    """Format the figures of both."""
    if found["tags"] == found["all_tags"]:
        tags = f"all {found['tags']} tags"
    else:
        tags = f"a random {found['tags']} of {found['all_tags']} tags"
    rows = [
        [
            name,
            f"{found[f'{prefix}seconds']:.1f}",
            f"{found[f'{prefix}cpu_seconds']:.1f}",
            f"{found[f'{prefix}memory_mb']:.0f}",
            f"{found[f'{prefix}sample_jaccard']:.4f}",
        ]
        for name, prefix in (("Etiquette", ""), ("scikit-learn one-vs-rest, liblinear", "peer_"))
    ]
    header = ["Regressions", "Time (s)", "CPU time (s)", "Memory (MB)", "Sample Jaccard"]
    return (
        f"{found['questions']} questions, {found['terms']} terms, {tags}\n\n"
        f"{table(header, rows)}\n\n"
        f"{found['speedup']:.1f} times as fast; {found['cpu_speedup']:.1f} times in processor time."
    )
