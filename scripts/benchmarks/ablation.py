"""What each ingredient of the model adds: trained without it, judged on the same questions."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from safetensors.numpy import save_file

from lambda_src.tagger import Suggestion, TagModel, analyzer, read_bundle, vocabulary
from lambda_src.tagger.bundle import MANIFEST_KEY
from lambda_src.tagger.rules import N_HIDDEN_UNITS, RERANKER_INPUTS
from model_build import features
from model_build.bundle_writer import write_bundle
from model_build.corpus import Rejects, read_corpus
from model_build.evaluation import judge
from model_build.figures import Judged, figures
from model_build.intervals import Figure, bootstrap_intervals, weighted
from model_build.questions import Question
from model_build.splitting import split
from model_build.synonyms import WELL_KNOWN, main_tags, read_synonyms
from model_build.training import PRUNE, TrainingOptions, choose_tags, fit
from scripts.benchmarks.table import table

COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "ece": "ECE",
}

NAMELESS: Final = "no names of tags"
UNSTEMMED: Final = "no stemming"
UNLIMITED: Final = "fields read to their ends"


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what `scripts/bench ablation` takes."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument("--most", type=int, default=12_000, help="questions used (12000)")
    command.add_argument("--min-tag-count", type=int, default=20, help="uses a tag needs (20)")
    command.add_argument("--seed", type=int, default=0, help="of the split")
    command.add_argument(
        "--variants",
        type=_variant_names,
        default=_NAMES,
        metavar="A,B",
        help=f"some of {', '.join(_NAMES)} (all)",
    )


def _variant_names(names: str) -> list[str]:
    for name in names.split(","):
        if name not in _NAMES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(_NAMES)}")
    return names.split(",")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train every variant on four fifths of the questions, judge it by the rest, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        with Rejects(Path(folder) / "rejects.jsonl") as rejects:
            questions = read_corpus(options.questions, rejects)
        step = max(1, len(questions) // options.most)
        train, test = split(questions[::step], [0.8, 0.2], options.seed)
        whole = TrainingOptions(min_tag_count=options.min_tag_count, prune=PRUNE)
        path = Path(folder) / "model.safetensors"
        judged: dict[str, list[Judged]] = {}
        print("ablation: all", file=sys.stderr)
        model = _train(train, whole, path)
        judged["all"] = judge(model, test)
        judged["no re-ranking"] = judge(_without_reranker(path), test)
        judged["raw scores, no calibrator"] = _raw(model, test)
        variants = _variants(whole)
        for name in options.variants:
            print(f"ablation: {name}", file=sys.stderr)
            if name == NAMELESS:
                judged[name] = _nameless(train, test, whole, path)
            elif name in _ANALYZERS:
                with _ANALYZERS[name]():
                    judged[name] = judge(_train(train, whole, path), test)
            else:
                judged[name] = judge(_train(train, variants[name], path), test)
    print(f"{len(train)} questions to learn from, {len(test)} to judge by.")
    rows = [_row(name, of_it, judged["all"], model.tags) for name, of_it in judged.items()]
    cells = [[row["variant"], *(_cell(row, name) for name in COLUMNS)] for row in rows]
    print(table(["Variant", *COLUMNS.values()], cells))
    return {"variants": rows, "train": len(train), "test": len(test)}


def _row(
    name: str, judged: Sequence[Judged], of_all: Sequence[Judged], tags: Sequence[str]
) -> dict[str, Any]:
    """Give a variant's figures and the 95 % intervals of what they are above those of all."""
    bare = not any(each.suggested for each in judged)
    names = ("precision_at_1", "recall_at_5") if bare else tuple(COLUMNS)
    mine, whole = weighted(judged, tags), weighted(of_all, tags)

    def gain(figure: str) -> Figure:
        return lambda drawn: mine[figure](drawn) - whole[figure](drawn)

    gains = bootstrap_intervals({each: gain(each) for each in names}, len(judged))
    found = figures(judged, tags)
    return {
        "variant": name,
        **{each: found[each] for each in names},
        "gains": {each: list(interval) for each, interval in gains.items()},
    }


def _without_reranker(path: Path) -> TagModel:
    """Change the network of a bundle to one that repeats the odds of the calibrator."""
    bundle = read_bundle(path)
    hidden = np.zeros((len(RERANKER_INPUTS) + 1, N_HIDDEN_UNITS), np.float32)
    output = np.zeros(N_HIDDEN_UNITS + 1, np.float32)
    hidden[0, :2] = output[:2] = 1, -1
    arrays = {**bundle.arrays, "hidden": hidden.ravel(), "output": output}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    target = path.with_name("no-second-look.safetensors")
    save_file(contiguous, target, {MANIFEST_KEY: json.dumps(dict(bundle.manifest))})
    return _load(target)


def _nameless(
    train: Sequence[Question], test: Sequence[Question], options: TrainingOptions, path: Path
) -> list[Judged]:
    """Give tags names that stand in no text, and the judged ones their own again."""
    synonyms = read_synonyms([WELL_KNOWN])
    often = {tag for tag, _ in choose_tags(train, options.min_tag_count)}
    synonyms = {name: tag for name, tag in synonyms.items() if name not in often}
    train = main_tags(train, synonyms)
    names = sorted({tag for question in [*train, *test] for tag in question.tags})
    secret = {name: f"~{number}" for number, name in enumerate(names)}
    hidden = [replace(each, tags=tuple(secret[tag] for tag in each.tags)) for each in train]
    write_bundle(fit(hidden, options), path, corpus={})
    own = {number: name for name, number in secret.items()}

    def named(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
        return [Suggestion(own[tag], confidence) for tag, confidence in suggestions]

    return [
        Judged(frozenset(question.tags), named(each.ranked), named(each.suggested))
        for question, each in zip(test, judge(_load(path), test), strict=True)
    ]


@contextmanager
def _unstemmed() -> Iterator[None]:
    """Let the analyzer, of training and of the judged model, leave words as they are."""
    analyzer._cached_normalize.cache_clear()
    try:
        with patch.object(analyzer, "stem", lambda word: word):
            yield
    finally:
        analyzer._cached_normalize.cache_clear()


@contextmanager
def _unlimited() -> Iterator[None]:
    """Let training and the judged model read fields to their ends."""
    with (
        patch.object(analyzer, "MAX_TOKENS_PER_FIELD", sys.maxsize),
        patch.object(features, "MAX_PAIRED_WORDS", sys.maxsize),
        patch.object(vocabulary, "MAX_PAIRED_WORDS", sys.maxsize),
    ):
        yield


_ANALYZERS: Final = {UNSTEMMED: _unstemmed, UNLIMITED: _unlimited}


def _variants(whole: TrainingOptions) -> dict[str, TrainingOptions]:
    terms = whole.features
    return {
        "no pairs of words": replace(whole, features=replace(terms, min_pair_count=10**9)),
        "no code": replace(whole, features=replace(terms, code_weight=0.0)),
        "title counts like prose": replace(whole, features=replace(terms, title_weight=1)),
        "plain idf": replace(whole, features=replace(terms, rarity=1.0)),
        "classes not balanced": replace(whole, balance=0.0),
        "no pruning": replace(whole, prune=0.0),
        "every negative": replace(whole, near=10**9),
    }


_NAMES: Final = [*_variants(TrainingOptions()), NAMELESS, *_ANALYZERS]


def _train(questions: Sequence[Question], options: TrainingOptions, path: Path) -> TagModel:
    write_bundle(fit(questions, options, read_synonyms([WELL_KNOWN])), path, corpus={})
    return _load(path)


def _load(path: Path) -> TagModel:
    # Variants change the analyzer, and the kernel has one of its own.
    return TagModel(read_bundle(path), ranker="plain")


def _raw(model: TagModel, questions: Sequence[Question]) -> list[Judged]:
    judged = []
    for question in questions:
        scores = model.scores(question.title, question.body_html, "html")
        best = np.argsort(-scores, kind="stable")[:10]
        ranked = [Suggestion(model.tags[tag], float(scores[tag])) for tag in best]
        judged.append(Judged(frozenset(question.tags), ranked, []))
    return judged


def _cell(row: dict[str, Any], figure: str) -> str:
    if figure not in row:
        return ""
    if row["variant"] == "all":
        return f"{row[figure]:.3f}"
    low, high = row["gains"][figure]
    return f"{row[figure]:.3f} ({low:+.3f} to {high:+.3f})"
