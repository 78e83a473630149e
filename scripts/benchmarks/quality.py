"""Quality of the tags of Etiquette and other systems, on the same questions in one run."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from model_build.corpus import Rejects, read_corpus
from model_build.features import NotEnoughQuestionsError
from model_build.intervals import metric_intervals
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.splitting import is_dated, split
from model_build.training import choose_tags
from scripts.benchmarks.options import add_corpus_options, names_among
from scripts.benchmarks.paths import CACHE
from scripts.benchmarks.systems import SYSTEMS
from scripts.benchmarks.systems.system import Corpus, System
from scripts.shared.tables import table

TEST_SHARE: Final = 0.2
COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "prediction_rate": "Prediction rate",
}


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench quality`."""
    add_corpus_options(command)
    command.add_argument(
        "--partial-questions",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files that contain only their most frequent tags: used for training, not for tests",
    )
    command.add_argument(
        "--test",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="test questions (default: a fifth of --questions, which is then not trained on: "
        "the newest if they have dates, otherwise a random sample)",
    )
    command.add_argument(
        "--systems",
        type=names_among(SYSTEMS, "system"),
        default=list(SYSTEMS),
        metavar="A,B",
        help=f"some of: {','.join(SYSTEMS)} (default: all)",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and test every system, print the table, and return the figures."""
    corpus, test, how = _corpus_and_test(options)
    print(
        f"{len(corpus.questions)} training questions, {len(test)} test questions ({how}); "
        f"{len(corpus.tags)} tags with at least {corpus.min_tag_count} questions",
        file=sys.stderr,
    )
    systems = []
    for name in options.systems:
        print(f"{name}: training", file=sys.stderr)
        systems.append(measure(name, SYSTEMS[name](), corpus, test))
        results = ", ".join(f"{title} {systems[-1][key]:.3f}" for key, title in COLUMNS.items())
        print(f"{name}: {results}, {systems[-1]['train_seconds']:.0f} s", file=sys.stderr)
    print(quality_table(systems))
    return {
        "questions": len(test),
        "training_questions": len(corpus.questions),
        "tags": len(corpus.tags),
        "min_tag_count": corpus.min_tag_count,
        "split": how,
        "systems": systems,
    }


def _corpus_and_test(options: argparse.Namespace) -> tuple[Corpus, list[Question], str]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "quality.rejects.jsonl") as rejects:
        training = read_corpus(options.questions, rejects, partial_paths=options.partial_questions)
        test = read_corpus(options.test, rejects)
    if options.test:
        how = ", ".join(path.name for path in options.test)
    else:
        by_time = is_dated(training)
        training, held_out = split(training, (1 - TEST_SHARE, TEST_SHARE), options.seed)
        # Partial questions lack some of their tags.
        test = [question for question in held_out if question.judged_tags is None]
        how = "the newest fifth" if by_time else f"a random fifth, seed {options.seed}"
    tags = [tag for tag, _ in choose_tags(training, options.min_tag_count)]
    if not tags or not test:
        raise NotEnoughQuestionsError(
            f"Not enough questions: {len(training)} for training, {len(test)} for the test, and "
            f"{len(tags)} tags with at least {options.min_tag_count} questions. Add more files or "
            "lower --min-tag-count."
        )
    return Corpus(training, tags, options.min_tag_count), test, how


def measure(name: str, system: System, corpus: Corpus, test: Sequence[Question]) -> dict[str, Any]:
    """Train and test one system.

    Returns
    -------
    dict
        The name, the figures with their 95 % intervals, the training time in seconds (including
        the original time of results that were reused), and the size of the model in MB.
    """
    started = time.perf_counter()
    system.fit(corpus)
    train_seconds = time.perf_counter() - started + system.seconds_saved
    judged = [
        JudgedQuestion(frozenset(question.tags), answer.ranked, answer.suggested)
        for question, answer in zip(test, system.answer(test), strict=True)
    ]
    found, bounds = compute_metrics(judged, corpus.tags), metric_intervals(judged, corpus.tags)
    return {
        "name": name,
        **{figure: found[figure] for figure in COLUMNS},
        "train_seconds": round(train_seconds, 2),
        "model_mb": round(system.megabytes(), 2),
        "intervals": {figure: list(bounds[figure]) for figure in COLUMNS},
    }


def quality_table(systems: Sequence[dict[str, Any]]) -> str:
    """Format the figures of the systems as a table."""
    header = ["System", *COLUMNS.values(), "Training (s)", "Model (MB)"]
    rows = []
    for system in systems:
        cells = [
            "{:.3f} ({:.3f} to {:.3f})".format(system[figure], *system["intervals"][figure])
            for figure in COLUMNS
        ]
        rows.append(
            [
                system["name"],
                *cells,
                f"{system['train_seconds']:.0f}",
                f"{system['model_mb']:.1f}",
            ]
        )
    return table(header, rows)
