"""How long training takes beside scikit-learn's, and how much memory it needs at scale.

Both sides fit one logistic regression per tag on the same TF-IDF matrix, each in a process of its
own: ours as `model_build.training` makes it, on all processors; the peer as people write it,
``OneVsRestClassifier(LogisticRegression(solver="liblinear"))``, which uses one. The ratio of
processor time says what remains without that advantage. Both suggest their three best tags.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import joblib

from model_build.corpus import Rejects, read_corpus, write_questions
from model_build.features import FeatureOptions, NotEnoughQuestionsError, fit_tfidf, tokens_of
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.splitting import split
from model_build.training import choose_tags
from model_build.truth import Truth
from scripts.benchmarks.one_side import Outcome, Task
from scripts.benchmarks.processes import run_measured
from scripts.benchmarks.rivals.rival import CACHE, answers, best_three
from scripts.benchmarks.table import table

TEST_SHARE: Final = 0.2
SCALE_QUESTIONS: Final = 50_000
SCALE_TAGS: Final = 1_000


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what `scripts/bench training` takes."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--tags", type=int, metavar="N", help="a random sample of that many, for both sides (all)"
    )
    command.add_argument(
        "--scale",
        action="store_true",
        help="measure memory of a training on 50,000 questions and 1,000 tags, too",
    )
    command.add_argument("--min-tag-count", type=int, default=20, help="uses a tag needs (20)")
    command.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both sides, print the table, give the figures."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "training.rejects.jsonl") as rejects:
        questions = read_corpus(options.questions, rejects)
    found = compare(questions, options.tags, options.min_tag_count, options.seed)
    print(training_table(found))
    if options.scale:
        found |= scale(questions, options.seed)
        print(
            f"\nTraining on {found['scale_questions']} questions and {found['scale_tags']} tags "
            f"took {found['scale_seconds']:.0f} s and {found['peak_memory_mb']:.0f} MB."
        )
    return found


def compare(
    questions: Sequence[Question], n_tags: int | None, min_tag_count: int, seed: int
) -> dict[str, Any]:
    """Fit both sides on four fifths of the questions and judge them by the rest."""
    training, test = split(questions, (1 - TEST_SHARE, TEST_SHARE), seed)
    tags = [tag for tag, _ in choose_tags(training, min_tag_count)]
    if not tags:
        raise NotEnoughQuestionsError(
            f"no tag has {min_tag_count} uses in {len(training)} questions: name more files, or "
            "lower --min-tag-count"
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
        for side, prefix in (("ours", ""), ("peer", "peer_")):
            print(f"{side}: {len(tags)} tags, {len(training)} questions", file=sys.stderr)
            module = [sys.executable, "-m", "scripts.benchmarks.one_side"]
            cost = run_measured([*module, side, folder])
            outcome = Outcome(*joblib.load(Path(folder) / f"{side}.joblib"))
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
    """Write the two sides beside each other."""
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
    header = ["Regressions", "Seconds", "Processor s", "Memory MB", "Sample Jaccard"]
    return (
        f"{found['questions']} questions, {found['terms']} terms, {tags}\n\n"
        f"{table(header, rows)}\n\n"
        f"{found['speedup']:.1f} times as fast; {found['cpu_speedup']:.1f} times in processor time."
    )


def scale(questions: Sequence[Question], seed: int) -> dict[str, Any]:
    """Train on 50,000 questions and 1,000 tags; measure the processes' memory."""
    many = scaled(questions, SCALE_QUESTIONS, seed)
    uses = Counter(tag for question in many for tag in question.tags).most_common(SCALE_TAGS)
    min_tag_count = uses[-1][1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.parquet"
        write_questions(many, path)
        command = [sys.executable, "-m", "model_build", "train", "--questions", str(path)]
        command += ["--out", str(Path(folder) / "model.safetensors")]
        cost = run_measured([*command, "--min-tag-count", str(min_tag_count)])
    return {
        "scale_questions": len(many),
        "scale_tags": len(choose_tags(many, min_tag_count)),
        "scale_seconds": cost.seconds,
        "peak_memory_mb": cost.peak_memory_mb,
    }


def scaled(questions: Sequence[Question], n_questions: int, seed: int) -> list[Question]:
    """Bring a corpus to a number of questions.

    Too many are sampled. What lacks is mixed from real ones: the title of one, the body of another,
    and the tags of both, at most five.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    if len(questions) >= n_questions:
        return chance.sample(list(questions), n_questions)
    mixed = []
    for _ in range(n_questions - len(questions)):
        first, second = chance.choice(questions), chance.choice(questions)
        tags = tuple(dict.fromkeys(first.tags + second.tags))[:5]
        mixed.append(replace(first, body_html=second.body_html, tags=tags))
    return [*questions, *mixed]
