"""The contribution of each part of the model: train without it and evaluate the same questions."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import numpy as np
from safetensors.numpy import save_file

from lambda_src.tagger import Suggestion, TagModel, analyzer, read_bundle, vocabulary
from lambda_src.tagger.bundle import MANIFEST_KEY
from lambda_src.tagger.markup import split_body
from lambda_src.tagger.rules import N_HIDDEN_UNITS, RERANKER_INPUTS
from model_build import features
from model_build.bundle_writer import write_bundle
from model_build.code_copies import rows_with_code
from model_build.commands.arguments import add_files
from model_build.corpus import Rejects, read_corpus, read_tag_sets
from model_build.evaluation import judge
from model_build.features import tokens_of
from model_build.intervals import WeightedMetric, bootstrap_intervals, weighted_metrics
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.retrain_starter import MISLEADING_PER_TAG
from model_build.splitting import split
from model_build.synonyms import WELL_KNOWN, read_synonyms, replace_synonyms
from model_build.tag_sets import TagSet, without_doubles
from model_build.training import PRUNE, TrainingOptions, choose_tags, fit
from scripts.benchmarks.options import add_corpus_options, names_among, read_by_file, rows_by_file
from scripts.shared.tables import table

COLUMNS: Final = {
    "sample_jaccard": "Sample Jaccard",
    "precision_at_1": "P@1",
    "recall_at_5": "R@5",
    "macro_f1": "Macro F1",
    "ece": "ECE",
}

NAMELESS: Final = "no tag names"
NO_TAG_SETS: Final = "no tag sets"
COMPLETE: Final = "complete model"
UNSTEMMED: Final = "no stemming"
UNLIMITED: Final = "no token limits"


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench ablation`."""
    add_corpus_options(command)
    command.add_argument(
        "--most", type=int, default=12_000, help="maximum number of questions (default: 12000)"
    )
    add_files(
        command,
        "--test",
        "test questions, judged file by file, also by their code alone (default: a fifth of "
        "--questions, which is then not trained on)",
    )
    command.add_argument(
        "--tag-sets", nargs="+", type=Path, default=[], metavar="FILE", help="as for train"
    )
    command.add_argument(
        "--variants",
        type=names_among(_NAMES, "variant"),
        metavar="A,B",
        help=f"some of: {', '.join(_NAMES)} (default: all; without --tag-sets, all but "
        f"'{NO_TAG_SETS}')",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train every variant on the same questions, evaluate it on others, and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        with Rejects(Path(folder) / "rejects.jsonl") as rejects:
            questions = read_corpus(options.questions, rejects)
            tests = read_by_file(options.test, rejects)
            tag_sets = read_tag_sets(options.tag_sets, rejects)
        train = questions[:: max(1, len(questions) // options.most)]
        if not tests:
            train, held_out = split(train, [0.8, 0.2], options.seed)
            tests = {"test": held_out}
        else:
            tests |= _code_alone(tests)
        test = [question for members in tests.values() for question in members]
        corpus = _Corpus(train, without_doubles(tag_sets, [*questions, *test]))
        whole = TrainingOptions(min_tag_count=options.min_tag_count, prune=PRUNE)
        path = Path(folder) / "model.safetensors"
        judged: dict[str, list[JudgedQuestion]] = {}
        print(f"ablation: {COMPLETE}", file=sys.stderr)
        model = _train(corpus, whole, path)
        judged[COMPLETE] = judge(model, test)
        judged["no re-ranking"] = judge(_without_reranker(path), test)
        judged["raw scores, no calibrator"] = _raw(model, test)
        variants = _variants(whole)
        names = options.variants or [
            name for name in _NAMES if name != NO_TAG_SETS or options.tag_sets
        ]
        for name in names:
            print(f"ablation: {name}", file=sys.stderr)
            if name == NAMELESS:
                judged[name] = _nameless(corpus, test, whole, path)
            elif name == NO_TAG_SETS:
                judged[name] = judge(_train(corpus._replace(tag_sets=[]), whole, path), test)
            elif name in _ANALYZERS:
                with _ANALYZERS[name]():
                    judged[name] = judge(_train(corpus, whole, path), test)
            else:
                judged[name] = judge(_train(corpus, variants[name], path), test)
    print(f"{len(train)} training questions, {len(test)} test questions.")
    files: list[dict[str, Any]] = []
    for file, rows in rows_by_file(tests).items():
        parts = {name: [members[row] for row in rows] for name, members in judged.items()}
        found = [_row(name, parts[name], parts[COMPLETE], model.tags) for name in parts]
        files.append({"file": file, "questions": len(rows), "variants": found})
        if len(tests) > 1:
            print(f"\n{file}, {len(rows)} questions:\n")
        cells = [[row["variant"], *(_cell(row, name) for name in COLUMNS)] for row in found]
        print(table(["Variant", *COLUMNS.values()], cells))
    return {"files": files, "train": len(train), "test": len(test)}


class _Corpus(NamedTuple):
    """What every variant is trained on."""

    questions: Sequence[Question]
    tag_sets: Sequence[TagSet]


def _code_alone(tests: Mapping[str, Sequence[Question]]) -> dict[str, list[Question]]:
    """Take the title and the prose away from the questions that have enough code."""
    found = {}
    for file, members in tests.items():
        rows = rows_with_code(members, tokens_of(members))
        codes = [split_body(members[row].body, members[row].body_format).code for row in rows]
        found[f"{file}, code alone"] = [
            replace(
                members[row],
                title="",
                body=f"<pre><code>{escape(code)}</code></pre>",
                body_format="html",
            )
            for row, code in zip(rows, codes, strict=True)
        ]
    return {file: members for file, members in found.items() if members}


def _row(
    name: str,
    judged: Sequence[JudgedQuestion],
    complete: Sequence[JudgedQuestion],
    tags: Sequence[str],
) -> dict[str, Any]:
    """Return a variant's figures, and 95 % intervals of their gain over the complete model."""
    only_ranked = not any(each.suggested for each in judged)
    names = ("precision_at_1", "recall_at_5") if only_ranked else tuple(COLUMNS)
    ours, reference = weighted_metrics(judged, tags), weighted_metrics(complete, tags)

    def gain(figure: str) -> WeightedMetric:
        return lambda drawn: ours[figure](drawn) - reference[figure](drawn)

    gains = bootstrap_intervals({each: gain(each) for each in names}, len(judged))
    found = compute_metrics(judged, tags)
    return {
        "variant": name,
        **{each: found[each] for each in names},
        "gains": {each: list(interval) for each, interval in gains.items()},
    }


def _without_reranker(path: Path) -> TagModel:
    """Load a bundle with a network that returns the log-odds of the calibrator unchanged."""
    bundle = read_bundle(path)
    hidden = np.zeros((len(RERANKER_INPUTS) + 1, N_HIDDEN_UNITS), np.float32)
    output = np.zeros(N_HIDDEN_UNITS + 1, np.float32)
    hidden[0, :2] = output[:2] = 1, -1
    arrays = {**bundle.arrays, "hidden": hidden.ravel(), "output": output}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    target = path.with_name("no-reranker.safetensors")
    save_file(contiguous, target, {MANIFEST_KEY: json.dumps(dict(bundle.manifest))})
    return _load(target)


def _nameless(
    corpus: _Corpus, test: Sequence[Question], options: TrainingOptions, path: Path
) -> list[JudgedQuestion]:
    """Train with tag names that occur in no text, and restore the names in the results."""
    synonyms = read_synonyms([WELL_KNOWN])
    chosen = {tag for tag, _ in choose_tags(corpus.questions, options.min_tag_count)}
    synonyms = {name: tag for name, tag in synonyms.items() if name not in chosen}
    train = replace_synonyms(corpus.questions, synonyms)
    tags_of_each = [
        *(question.tags for question in (*train, *test)),
        *(tag_set.tags for tag_set in corpus.tag_sets),
    ]
    names = sorted({tag for tags in tags_of_each for tag in tags})
    alias = {name: f"~{number}" for number, name in enumerate(names)}
    hidden = [replace(each, tags=tuple(alias[tag] for tag in each.tags)) for each in train]
    sets = [each._replace(tags=tuple(alias[tag] for tag in each.tags)) for each in corpus.tag_sets]
    write_bundle(fit(hidden, options, tag_sets=sets), path, corpus={})
    names_by_number = {number: name for name, number in alias.items()}

    def named(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
        return [Suggestion(names_by_number[tag], confidence) for tag, confidence in suggestions]

    return [
        JudgedQuestion(frozenset(question.tags), named(each.ranked), named(each.suggested))
        for question, each in zip(test, judge(_load(path), test), strict=True)
    ]


@contextmanager
def _unstemmed() -> Iterator[None]:
    """Disable stemming in training and in the evaluated model."""
    analyzer._cached_normalize.cache_clear()
    try:
        with patch.object(analyzer, "stem", lambda word: word):
            yield
    finally:
        analyzer._cached_normalize.cache_clear()


@contextmanager
def _unlimited() -> Iterator[None]:
    """Disable the token limits in training and in the evaluated model."""
    with (
        patch.object(analyzer, "MAX_CHUNKS_PER_FIELD", sys.maxsize),
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
        "title weighted like prose": replace(whole, features=replace(terms, title_weight=1)),
        "plain idf": replace(whole, features=replace(terms, rarity=1.0)),
        "no class balancing": replace(whole, balance=0.0),
        "no pruning": replace(whole, prune=0.0),
        "all negatives": replace(whole, n_similar=10**9),
        "no code copies": replace(whole, code_copies=False),
        "with misleading questions": replace(whole, misleading_per_tag=MISLEADING_PER_TAG),
    }


_NAMES: Final = [*_variants(TrainingOptions()), NAMELESS, NO_TAG_SETS, *_ANALYZERS]


def _train(corpus: _Corpus, options: TrainingOptions, path: Path) -> TagModel:
    synonyms = read_synonyms([WELL_KNOWN])
    fitted = fit(corpus.questions, options, synonyms, tag_sets=corpus.tag_sets)
    write_bundle(fitted, path, corpus={})
    return _load(path)


def _load(path: Path) -> TagModel:
    # Some variants change the analyzer in Python, which the kernel does not use.
    return TagModel(read_bundle(path), ranker="plain")


def _raw(model: TagModel, questions: Sequence[Question]) -> list[JudgedQuestion]:
    judged = []
    for question in questions:
        scores = model.scores(question.title, question.body, question.body_format)
        best = np.argsort(-scores, kind="stable")[:10]
        ranked = [Suggestion(model.tags[tag], float(scores[tag])) for tag in best]
        judged.append(JudgedQuestion(frozenset(question.tags), ranked, []))
    return judged


def _cell(row: dict[str, Any], figure: str) -> str:
    if figure not in row:
        return ""
    if row["variant"] == COMPLETE:
        return f"{row[figure]:.3f}"
    low, high = row["gains"][figure]
    return f"{row[figure]:.3f} ({low:+.3f} to {high:+.3f})"
