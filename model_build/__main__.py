"""The engineer's command line: python -m model_build train | evaluate | split."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib
from sklearn.pipeline import Pipeline

from lambda_src.tagger import BundleError, TagModel
from model_build.bundle_writer import write_bundle
from model_build.corpus import CorpusError, Rejects, read_corpus, write_questions
from model_build.corpus.reading import SUFFIXES
from model_build.evaluation import draw_reliability, judge, report, table, write_predictions
from model_build.features import NotEnoughQuestionsError
from model_build.splitting import SPLIT_FACTS, is_dated, split
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.training import PRUNE, TrainingOptions, fit

PARTS = ("train", "validation", "test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors that a person can mend are one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (BundleError, CorpusError, NotEnoughQuestionsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_build", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model and write its bundle")
    _add_questions(train)
    train.add_argument(
        "--partial-questions",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files cut down to their commonest tags: a missing tag is unknown, not absent",
    )
    train.add_argument("--out", required=True, type=Path, metavar="MODEL.safetensors")
    train.add_argument("--min-tag-count", type=int, default=20, help="uses a tag needs (20)")
    train.add_argument(
        "--synonyms",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="more synonyms: .csv (synonym,tag), or .json of the API's /tags/synonyms",
    )
    train.add_argument(
        "--prune",
        type=float,
        default=PRUNE,
        help=f"drop weights worth less, as TrainingOptions.prune says ({PRUNE})",
    )
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--jobs", type=int, default=-1, help="processes (-1: one per core)")
    train.add_argument(
        "--reference", type=Path, metavar="FILE.joblib", help="keep scikit-learn's pipeline too"
    )
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="measure a model on questions it never saw")
    evaluate.add_argument("--model", required=True, type=Path, metavar="MODEL.safetensors")
    _add_questions(evaluate)
    evaluate.add_argument("--json", required=True, type=Path, metavar="REPORT.json")
    evaluate.add_argument("--predictions", type=Path, metavar="FILE.jsonl")
    evaluate.add_argument("--reliability", type=Path, metavar="DIAGRAM.png")
    evaluate.set_defaults(run=_evaluate)

    parting = commands.add_parser("split", help="part a corpus into train, validation and test")
    _add_questions(parting)
    parting.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parting.add_argument(
        "--shares", nargs=3, type=float, default=[0.8, 0.1, 0.1], metavar=("T", "V", "T")
    )
    parting.add_argument("--seed", type=int, default=0)
    parting.set_defaults(run=_split)
    return parser


def _add_questions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--questions",
        nargs="+",
        required=True,
        type=Path,
        metavar="FILE",
        help=SUFFIXES,
    )
    command.add_argument(
        "--rejects", type=Path, metavar="FILE.jsonl", help="where bad rows go (beside the output)"
    )


def _rejects(options: argparse.Namespace, output: Path) -> Rejects:
    path: Path = options.rejects or output.with_name(f"{output.name}.rejects.jsonl")
    if path.resolve() in (file.resolve() for file in options.questions):
        raise CorpusError(f"{path}: this file holds questions. Name another file with --rejects.")
    return Rejects(path)


def _train(options: argparse.Namespace) -> None:
    with _rejects(options, options.out) as rejects:
        questions = read_corpus(options.questions, rejects, partial_paths=options.partial_questions)
        fitted = fit(
            questions,
            TrainingOptions(
                min_tag_count=options.min_tag_count,
                prune=options.prune,
                jobs=options.jobs,
                seed=options.seed,
            ),
            read_synonyms([WELL_KNOWN, *options.synonyms]),
        )
        files = [*options.questions, *options.partial_questions]
        corpus = {"files": [path.name for path in files], "rejected_rows": rejects.total}
        digest = write_bundle(
            fitted,
            options.out,
            corpus=corpus,
        )
    if options.reference:
        pipeline = Pipeline([("tfidf", fitted.tfidf), ("tags", fitted.regressions)])
        joblib.dump(pipeline, options.reference, compress=3)
    megabytes = options.out.stat().st_size / 1e6
    print(f"{options.out}: {len(fitted.tags)} tags, {megabytes:.1f} MB, SHA-256 {digest}")


def _evaluate(options: argparse.Namespace) -> None:
    model = TagModel.load(options.model)
    with _rejects(options, options.json) as rejects:
        questions = read_corpus(options.questions, rejects)
    judged = judge(model, questions)
    figures = report(model, judged, paths=options.questions)
    options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if options.predictions:
        write_predictions(judged, options.predictions)
    if options.reliability:
        draw_reliability(judged, options.reliability)
    print(table(figures))


def _split(options: argparse.Namespace) -> None:
    with _rejects(options, options.out) as rejects:
        questions = read_corpus(options.questions, rejects)
    kind = "time-ordered" if is_dated(questions) else "random"
    for name, part in zip(PARTS, split(questions, options.shares, options.seed), strict=True):
        path = options.out / f"{name}.parquet"
        write_questions(part, path)
        print(f"{path}: {len(part)} questions ({kind} split)")
    facts = {"kind": kind, "shares": options.shares, "seed": options.seed}
    (options.out / SPLIT_FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
