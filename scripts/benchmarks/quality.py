"""Quality of the tags of Etiquette and other systems, on the same questions in one run."""

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from model_build.commands.arguments import add_files
from model_build.corpus import Rejects, read_corpus
from model_build.features import NotEnoughQuestionsError
from model_build.intervals import (
    WeightedMetric,
    Weights,
    bootstrap_interval,
    metric_intervals,
    weighted_metrics,
)
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.retrain_starter import INVERSE_REGULARIZATION, MISLEADING_PER_TAG, PRUNE
from model_build.splitting import is_dated, split
from model_build.training import choose_tags
from scripts.benchmarks.kept_answers import Answered, answer_or_load
from scripts.benchmarks.options import add_corpus_options, names_among, read_by_file, rows_by_file
from scripts.benchmarks.paths import CACHE
from scripts.benchmarks.systems import SYSTEMS
from scripts.benchmarks.systems.etiquette import Etiquette
from scripts.benchmarks.systems.system import Corpus
from scripts.shared.tables import table

OURS: Final = "etiquette"
TEST_SHARE: Final = 0.2
COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "prediction_rate": "Prediction rate",
}
COMPARED: Final = ("sample_jaccard", "precision_at_1", "recall_at_5")
"""The figures of the tables by file and of the comparison with the best other system."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench quality`."""
    add_corpus_options(command)
    add_files(
        command,
        "--partial-questions",
        "files that contain only their most frequent tags: used for training, not for tests",
    )
    add_files(
        command,
        "--test",
        "test questions, judged file by file (default: a fifth of --questions, which is then "
        "not trained on: the newest if they have dates, otherwise a random sample)",
    )
    command.add_argument(
        "--most",
        type=int,
        metavar="N",
        help="train every system on the same N questions at random (default: on all)",
    )
    command.add_argument(
        "--starter-recipe",
        action="store_true",
        help="train Etiquette with the options of the starter model (default: those of train)",
    )
    add_files(
        command,
        "--tag-sets",
        "tag sets for Etiquette, as for train; the other systems cannot use them",
    )
    command.add_argument(
        "--systems",
        type=names_among(SYSTEMS, "system"),
        default=list(SYSTEMS),
        metavar="A,B",
        help=f"some of: {','.join(SYSTEMS)} (default: all)",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train and test every system, print the tables, and return the figures."""
    corpus, tests, how = _corpus_and_tests(options)
    test = [question for members in tests.values() for question in members]
    print(
        f"{len(corpus.questions)} training questions, {len(test)} test questions ({how}); "
        f"{len(corpus.tags)} tags with at least {corpus.min_tag_count} questions",
        file=sys.stderr,
    )
    train_options = _train_options(options)
    judged: dict[str, list[JudgedQuestion]] = {}
    systems = []
    for name in options.systems:
        system = Etiquette(train_options) if name == OURS else SYSTEMS[name]()
        answered = answer_or_load(name, system, corpus, test, train_options if name == OURS else ())
        judged[name] = [
            JudgedQuestion(frozenset(question.tags), answer.ranked, answer.suggested)
            for question, answer in zip(test, answered.answers, strict=True)
        ]
        systems.append(_figures_of(name, answered, judged[name], tests, corpus.tags))
        results = ", ".join(f"{title} {systems[-1][key]:.3f}" for key, title in COLUMNS.items())
        print(f"{name}: {results}, {systems[-1]['train_seconds']:.0f} s", file=sys.stderr)
    print(quality_table(systems))
    leads = _leads(judged, tests, corpus.tags)
    if len(tests) > 1:
        print(f"\n{file_table(systems)}")
    if leads:
        print(f"\n{lead_table(leads)}")
    return {
        "questions": len(test),
        "training_questions": len(corpus.questions),
        "tags": len(corpus.tags),
        "min_tag_count": corpus.min_tag_count,
        "split": how,
        "systems": systems,
        "leads": leads,
    }


def _train_options(options: argparse.Namespace) -> list[str]:
    recipe = (
        [
            *("--prune", str(PRUNE), "--misleading-per-tag", str(MISLEADING_PER_TAG)),
            *("--inverse-regularization", str(INVERSE_REGULARIZATION)),
        ]
        if options.starter_recipe
        else []
    )
    return [*recipe, *(["--tag-sets", *map(str, options.tag_sets)] if options.tag_sets else [])]


def _corpus_and_tests(
    options: argparse.Namespace,
) -> tuple[Corpus, dict[str, list[Question]], str]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "quality.rejects.jsonl") as rejects:
        training = read_corpus(options.questions, rejects, partial_paths=options.partial_questions)
        tests = read_by_file(options.test, rejects)
    if options.test:
        how = ", ".join(path.name for path in options.test)
    else:
        by_time = is_dated(training)
        training, held_out = split(training, (1 - TEST_SHARE, TEST_SHARE), options.seed)
        # Partial questions lack some of their tags.
        tests = {"test": [question for question in held_out if question.judged_tags is None]}
        how = "the newest fifth" if by_time else f"a random fifth, seed {options.seed}"
    if options.most is not None and options.most < len(training):
        training = random.Random(options.seed).sample(training, options.most)  # noqa: S311 (no secret)
    tags = [tag for tag, _ in choose_tags(training, options.min_tag_count)]
    n_tests = sum(map(len, tests.values()))
    if not tags or not n_tests:
        raise NotEnoughQuestionsError(
            f"Not enough questions: {len(training)} for training, {n_tests} for the test, and "
            f"{len(tags)} tags with at least {options.min_tag_count} questions. Add more files or "
            "lower --min-tag-count."
        )
    return Corpus(training, tags, options.min_tag_count), tests, how


def _figures_of(
    name: str,
    answered: Answered,
    judged: Sequence[JudgedQuestion],
    tests: Mapping[str, Sequence[Question]],
    tags: Sequence[str],
) -> dict[str, Any]:
    """Return a system's figures with 95 % intervals, for all test questions and for each file."""

    def figures(members: Sequence[JudgedQuestion]) -> dict[str, Any]:
        found, bounds = compute_metrics(members, tags), metric_intervals(members, tags)
        return {
            **{figure: found[figure] for figure in COLUMNS},
            "intervals": {figure: list(bounds[figure]) for figure in COLUMNS},
        }

    return {
        "name": name,
        **figures(judged),
        "train_seconds": round(answered.train_seconds, 2),
        "model_mb": round(answered.model_mb, 2),
        "files": [
            {"file": file, "questions": len(rows), **figures([judged[row] for row in rows])}
            for file, rows in rows_by_file(tests).items()
        ],
    }


def _leads(
    judged: Mapping[str, Sequence[JudgedQuestion]],
    tests: Mapping[str, Sequence[Question]],
    tags: Sequence[str],
) -> list[dict[str, Any]]:
    """Compare Etiquette with the best other system, for each file and figure.

    The 95 % interval of the difference is paired: both systems get the same drawn questions.
    """
    others = [name for name in judged if name != OURS]
    if OURS not in judged or not others:
        return []
    leads = []
    for file, rows in rows_by_file(tests).items():
        metrics = {
            name: weighted_metrics([members[row] for row in rows], tags)
            for name, members in judged.items()
        }
        once = np.ones(len(rows))
        for figure in COMPARED:
            value = {name: of_system[figure](once) for name, of_system in metrics.items()}
            best = max(others, key=value.__getitem__)
            ours, theirs = metrics[OURS][figure], metrics[best][figure]

            def gain(
                drawn: Weights, ours: WeightedMetric = ours, theirs: WeightedMetric = theirs
            ) -> float:
                return ours(drawn) - theirs(drawn)

            leads.append(
                {
                    "file": file,
                    "figure": figure,
                    "etiquette": value[OURS],
                    "best_other": best,
                    "other": value[best],
                    "gain": gain(once),
                    "interval": list(bootstrap_interval(gain, len(rows))),
                }
            )
    return leads


def quality_table(systems: Sequence[dict[str, Any]]) -> str:
    """Format the figures of the systems on all test questions as a table."""
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


def file_table(systems: Sequence[dict[str, Any]]) -> str:
    """Format the compared figures of the systems as a table with a column for each file."""
    first, *_ = systems
    header = [
        " / ".join(COLUMNS[figure] for figure in COMPARED),
        *(f"{each['file']} ({each['questions']})" for each in first["files"]),
    ]
    rows = [
        [
            system["name"],
            *(" / ".join(f"{each[figure]:.3f}" for figure in COMPARED) for each in system["files"]),
        ]
        for system in systems
    ]
    return table(header, rows)


def lead_table(leads: Sequence[dict[str, Any]]) -> str:
    """Format the comparison of Etiquette with the best other system."""
    header = ["Questions", "Figure", "Etiquette", "Best other system", "Difference"]
    rows = [
        [
            lead["file"],
            COLUMNS[lead["figure"]],
            f"{lead['etiquette']:.3f}",
            f"{lead['other']:.3f} {lead['best_other']}",
            "{:+.3f} ({:+.3f} to {:+.3f})".format(lead["gain"], *lead["interval"]),
        ]
        for lead in leads
    ]
    return table(header, rows)
