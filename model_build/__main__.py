"""From questions to a released model: collect, train, evaluate, track, compare, gate and score."""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TypeAlias

import joblib
from sklearn.pipeline import Pipeline

from lambda_src.tagger import BundleError, KernelError, RankerChoiceError, TagModel
from model_build.audit.commands import add_audit
from model_build.audit.errors import AuditError
from model_build.bundle_writer import write_bundle
from model_build.cluster import ClusterError, dask_workers
from model_build.collect.commands import add_collect
from model_build.collect.errors import CollectError
from model_build.compare import command as compare
from model_build.compare.errors import CompareError
from model_build.corpus import CorpusError, Rejects, read_corpus, read_tag_sets
from model_build.corpus.reading import SUFFIXES
from model_build.evaluation import draw_reliability, judge, report, table, write_predictions
from model_build.features import NotEnoughQuestionsError
from model_build.gate import command as gate
from model_build.gate.errors import GateError
from model_build.hygiene.commands import add_inspect
from model_build.kinds import KindsError
from model_build.locations import Location, LocationError
from model_build.model_card import tag_set_card
from model_build.retraining import RetrainingError, record, retrain
from model_build.scoring import ScoringError, score
from model_build.split_command import add_split
from model_build.splitting import SharesError
from model_build.stage_times import StageTimes
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.tag_sets import without_doubles
from model_build.tracking import commands as tracking
from model_build.tracking.environment import TrackingError, require_environment
from model_build.training import PRUNE, TrainingOptions, fit

_USER_ERRORS = (
    AuditError,
    BundleError,
    CollectError,
    ClusterError,
    CorpusError,
    KernelError,
    KindsError,
    LocationError,
    NotEnoughQuestionsError,
    RankerChoiceError,
    RetrainingError,
    ScoringError,
    SharesError,
)
"""What the user can fix. Everything else is a fault of the program and ends in a traceback."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. An error that the user can fix is one line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        # Only the gate has exit codes of its own.
        code: int | None = options.run(options)
    except (CompareError, GateError, TrackingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except _USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_build", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add_collect(commands)
    add_inspect(commands)
    _add_train(commands)
    _add_evaluate(commands)
    add_split(commands)
    add_audit(commands)
    _add_retrain(commands)
    tracking.add_commands(commands)
    _add_score(commands)
    gate.add_command(commands)
    compare.add_command(commands)
    return parser


def _add_train(commands: Commands) -> None:
    train = commands.add_parser("train", help="train a model and write it as a bundle")
    _add_questions(train)
    train.add_argument(
        "--partial-questions",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="more questions, from corpora that were reduced to their most common tags: such a "
        "question may have other tags that the file does not list",
    )
    train.add_argument(
        "--tag-sets",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="files with the columns id and tags, without text, of the same site: the re-ranker "
        "counts in them, too, which tags occur together, and the regressions learn names of tags",
    )
    train.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="MODEL.safetensors",
        help="the bundle to write",
    )
    train.add_argument(
        "--min-tag-count",
        type=int,
        default=20,
        help="leave out tags with fewer uses than this (default: %(default)s)",
    )
    train.add_argument(
        "--min-tag-set-count",
        type=int,
        default=TrainingOptions.min_tag_set_count,
        help="but keep a tag with this many uses in corpus and tag sets together: its name is "
        "learned (default: %(default)s)",
    )
    train.add_argument(
        "--misleading-per-tag",
        type=int,
        default=TrainingOptions.misleading_per_tag,
        help="make this many questions per tag that have a word of the tag, but not the tag: the "
        "model then trusts single words less (default: %(default)s)",
    )
    train.add_argument(
        "--synonyms",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="more synonyms of tags: .csv files with the columns synonym and tag, or .json files "
        "with an answer of the Stack Exchange API to /tags/synonyms",
    )
    train.add_argument(
        "--prune",
        type=float,
        default=PRUNE,
        help="leave out weights that add less than this to the scores of questions on average; see "
        "TrainingOptions.prune (default: %(default)s)",
    )
    _add_seed(train)
    _add_jobs(train)
    train.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="fit the regressions on the workers of this Dask scheduler, such as "
        "tcp://10.0.0.5:8786, and not in processes of this machine",
    )
    train.add_argument(
        "--reference",
        type=Path,
        metavar="FILE.joblib",
        help="also write TF-IDF and regressions as a scikit-learn pipeline",
    )
    tracking.add_track_option(train)
    train.set_defaults(run=_train)


def _add_evaluate(commands: Commands) -> None:
    evaluate = commands.add_parser(
        "evaluate", help="measure a model on questions that it was not trained on"
    )
    evaluate.add_argument(
        "--model",
        required=True,
        type=Path,
        metavar="MODEL.safetensors",
        help="the bundle to evaluate",
    )
    _add_questions(evaluate)
    evaluate.add_argument(
        "--json",
        required=True,
        type=Path,
        metavar="REPORT.json",
        help="write the metrics and their 95 %% intervals to this file",
    )
    evaluate.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE.jsonl",
        help="also write the prediction for each question, one per line",
    )
    evaluate.add_argument(
        "--reliability",
        type=Path,
        metavar="DIAGRAM.png",
        help="also draw the precision of suggestions by their confidence, for titles alone and for "
        "questions with bodies",
    )
    evaluate.set_defaults(run=_evaluate)


def _add_score(commands: Commands) -> None:
    command = commands.add_parser("score", help="suggest tags for an archive of questions")
    command.add_argument(
        "--model",
        required=True,
        type=Path,
        metavar="MODEL.safetensors",
        help="the bundle that suggests",
    )
    command.add_argument(
        "--questions", nargs="+", required=True, type=Path, metavar="FILE", help=SUFFIXES
    )
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="the folder for the results, one .parquet file per part; a part that is there is not "
        "scored again",
    )
    _add_jobs(command)
    command.set_defaults(run=_score)


def _add_retrain(commands: Commands) -> None:
    command = commands.add_parser(
        "retrain", help="train a candidate, and let the gate compare it with the live model"
    )
    command.add_argument(
        "--corpus",
        required=True,
        type=Location,
        metavar="FOLDER",
        help="a path or s3:// URL, with the folders questions, partial, tag_sets and synonyms",
    )
    command.add_argument(
        "--champion",
        required=True,
        type=Location,
        metavar="MODEL.safetensors",
        help="the path or s3:// URL of the bundle that is live",
    )
    command.add_argument(
        "--out",
        required=True,
        type=Location,
        metavar="FOLDER",
        help="a path or s3:// URL, in which the run gets a folder of its name",
    )
    command.add_argument("--run", dest="name", required=True, help="the name of the run")
    command.add_argument(
        "--record",
        nargs=2,
        metavar=("TABLE", "SERVICE"),
        help="also write the result into the DynamoDB table of infra_cdk/retraining.py",
    )
    command.set_defaults(run=_retrain)


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs",
        type=int,
        default=-1,
        help="number of processes; -1 for one per processor (default: %(default)s)",
    )


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed", type=int, default=0, help="for random choices (default: %(default)s)"
    )


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
        "--rejects",
        type=Path,
        metavar="FILE.jsonl",
        help="write rows that cannot be used to this file (default: next to the output)",
    )


def _rejects(options: argparse.Namespace, output: Path) -> Rejects:
    path: Path = options.rejects or output.with_name(f"{output.name}.rejects.jsonl")
    # Only `train` has the other two.
    inputs = [
        *options.questions,
        *getattr(options, "partial_questions", []),
        *getattr(options, "tag_sets", []),
    ]
    if path.resolve() in (file.resolve() for file in inputs):
        raise CorpusError(f"{path}: this file holds questions. Name another file with --rejects.")
    return Rejects(path)


def _train(options: argparse.Namespace) -> None:
    if options.track:
        require_environment()
    times = StageTimes()
    with _rejects(options, options.out) as rejects:
        with times.measure("reading"):
            questions = read_corpus(
                options.questions, rejects, partial_paths=options.partial_questions
            )
            found = read_tag_sets(options.tag_sets, rejects)
            tag_sets = without_doubles(found, questions)
        with dask_workers(options.dask) if options.dask else nullcontext():
            fitted = fit(
                questions,
                TrainingOptions(
                    min_tag_count=options.min_tag_count,
                    min_tag_set_count=options.min_tag_set_count,
                    misleading_per_tag=options.misleading_per_tag,
                    prune=options.prune,
                    jobs=options.jobs,
                    seed=options.seed,
                ),
                read_synonyms([WELL_KNOWN, *options.synonyms]),
                tag_sets=tag_sets,
                times=times,
            )
        files = [*options.questions, *options.partial_questions]
        corpus = {"files": [path.name for path in files], "rejected_rows": rejects.total}
        if tag_sets:
            corpus["tag_sets"] = tag_set_card(
                [path.name for path in options.tag_sets], len(tag_sets)
            )
        with times.measure("writing"):
            digest = write_bundle(fitted, options.out, corpus=corpus)
    if options.reference:
        pipeline = Pipeline([("tfidf", fitted.tfidf), ("tags", fitted.regressions)])
        joblib.dump(pipeline, options.reference, compress=3)
    megabytes = options.out.stat().st_size / 1e6
    print(times.table())
    print(f"{options.out}: {len(fitted.tags)} tags, {megabytes:.1f} MB, SHA-256 {digest}")
    if options.track:
        # Its imports are needed only here.
        from model_build.tracking.run_record import write_record  # noqa: PLC0415

        write_record(
            fitted,
            options.out,
            sha256=digest,
            corpus=questions,
            seconds=times.seconds,
            options={"jobs": options.jobs},
        )
        tracking.record_or_warn(options.out, options.track)


def _evaluate(options: argparse.Namespace) -> None:
    model = TagModel.load(options.model)
    with _rejects(options, options.json) as rejects:
        found = {path: read_corpus([path], rejects) for path in options.questions}
    questions = [question for members in found.values() for question in members]
    judged = judge(model, questions)
    metrics = report(
        model,
        judged,
        questions=questions,
        file_sizes={path: len(members) for path, members in found.items()},
    )
    options.json.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    if options.predictions:
        write_predictions(judged, options.predictions)
    if options.reliability:
        draw_reliability(questions, judged, options.reliability)
    print(table(metrics))


def _score(options: argparse.Namespace) -> None:
    found = score(options.model, options.questions, options.out, jobs=options.jobs)
    if found.parts_before:
        print(f"{found.parts_before} parts were there before")
    print(
        f"{options.out}: {found.questions} questions in {found.parts} parts, "
        f"{found.per_second:.0f} questions per second of a core"
    )


def _retrain(options: argparse.Namespace) -> None:
    result = retrain(options.corpus, options.champion, options.out / options.name, run=options.name)
    if options.record:
        record(result, *options.record)
    print(f"{result.subject}\n\n{result.message}")


if __name__ == "__main__":
    sys.exit(main())
