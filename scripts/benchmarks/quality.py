"""Which tags: ours and other systems', trained and judged on the same questions in one run."""

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
from scripts.benchmarks.rivals import RIVALS
from scripts.benchmarks.rivals.rival import CACHE, Corpus, Rival
from scripts.benchmarks.table import table

TEST_SHARE: Final = 0.2
COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "prediction_rate": "Prediction rate",
}


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what `scripts/bench quality` takes."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--partial-questions",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files cut down to their commonest tags: to learn from, not to judge by",
    )
    command.add_argument(
        "--test",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="judge by these; without, by a fifth of --questions that is kept from training: "
        "the newest where they have dates, else a random one",
    )
    command.add_argument(
        "--systems",
        type=_systems,
        default=list(RIVALS),
        metavar="A,B",
        help=f"some of {','.join(RIVALS)} (all)",
    )
    command.add_argument("--min-tag-count", type=int, default=20, help="uses a tag needs (20)")
    command.add_argument("--seed", type=int, default=0, help="of the split")


def _systems(names: str) -> list[str]:
    for name in names.split(","):
        if name not in RIVALS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(RIVALS)}")
    return names.split(",")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and judge every system, print the table, give the figures."""
    corpus, test, how = _corpus_and_test(options)
    print(
        f"{len(corpus.questions)} questions to learn from, {len(test)} to judge by ({how}); "
        f"{len(corpus.tags)} tags with {corpus.min_tag_count} uses or more",
        file=sys.stderr,
    )
    systems = []
    for name in options.systems:
        print(f"{name}: training", file=sys.stderr)
        systems.append(measure(name, RIVALS[name](), corpus, test))
        told = ", ".join(f"{title} {systems[-1][key]:.3f}" for key, title in COLUMNS.items())
        print(f"{name}: {told}, {systems[-1]['train_seconds']:.0f} s", file=sys.stderr)
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
        # What was cut down does not tell which tags are right.
        test = [question for question in held_out if question.judged_tags is None]
        how = "the newest fifth" if by_time else f"a random fifth, seed {options.seed}"
    tags = [tag for tag, _ in choose_tags(training, options.min_tag_count)]
    if not tags or not test:
        raise NotEnoughQuestionsError(
            f"{len(training)} questions to learn from, {len(tags)} tags with "
            f"{options.min_tag_count} uses, {len(test)} questions to judge by: name more files, "
            "or lower --min-tag-count"
        )
    return Corpus(training, tags, options.min_tag_count), test, how


def measure(name: str, rival: Rival, corpus: Corpus, test: Sequence[Question]) -> dict[str, Any]:
    """Train and judge one system.

    Returns
    -------
    dict
        Its name, figures, seconds of training (what was kept from another run at the price that it
        had then), megabytes, and the 95 % intervals of the figures.
    """
    started = time.perf_counter()
    rival.fit(corpus)
    train_seconds = time.perf_counter() - started + rival.seconds_saved
    judged = [
        JudgedQuestion(frozenset(question.tags), answer.ranked, answer.suggested)
        for question, answer in zip(test, rival.answer(test), strict=True)
    ]
    found, bounds = compute_metrics(judged, corpus.tags), metric_intervals(judged, corpus.tags)
    return {
        "name": name,
        **{figure: found[figure] for figure in COLUMNS},
        "train_seconds": round(train_seconds, 2),
        "model_mb": round(rival.megabytes(), 2),
        "intervals": {figure: list(bounds[figure]) for figure in COLUMNS},
    }


def quality_table(systems: Sequence[dict[str, Any]]) -> str:
    """Write the systems' figures as a table."""
    header = ["System", *COLUMNS.values(), "Training s", "Model MB"]
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
