"""The command ``train``."""

import argparse
from contextlib import nullcontext
from pathlib import Path

import joblib
from sklearn.pipeline import Pipeline

from model_build.bundle_writer import write_bundle
from model_build.cluster import dask_workers
from model_build.commands import tracking
from model_build.commands.arguments import (
    Commands,
    add_files,
    add_jobs,
    add_questions,
    add_seed,
    rejects_of,
)
from model_build.corpus import read_corpus, read_tag_sets
from model_build.model_card import tag_set_card
from model_build.stage_times import StageTimes
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.tag_sets import without_doubles
from model_build.taught import read_code_examples, read_new_tags, read_title_examples
from model_build.tracking.environment import require_environment
from model_build.training import PRUNE, TrainingOptions, fit


def add_command(commands: Commands) -> None:
    """Declare ``train``."""
    train = commands.add_parser("train", help="train a model and write it as a bundle")
    add_questions(train)
    add_files(
        train,
        "--partial-questions",
        "more questions, from corpora that were reduced to their most common tags: such a "
        "question may have other tags that the file does not list",
    )
    add_files(
        train,
        "--tag-sets",
        "files with the columns id and tags, without text, of the same site: the re-ranker "
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
    add_files(
        train,
        "--synonyms",
        "more synonyms of tags: .csv files with the columns synonym and tag, or .json files "
        "with an answer of the Stack Exchange API to /tags/synonyms",
    )
    train.add_argument(
        "--new-tags",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE.csv",
        help="files with the columns tag and companions, written by hand: tags that the corpus "
        "hardly uses, each with the tags that come with it. The model learns their names",
    )
    train.add_argument(
        "--code-examples",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE.txt",
        help="files of code, written by hand: a line '@@ TAG...' begins an example",
    )
    train.add_argument(
        "--title-examples",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE.txt",
        help="files of titles, written by hand: a line '@@ TAG...' begins a list of titles",
    )
    train.add_argument(
        "--inverse-regularization",
        type=float,
        default=TrainingOptions.inverse_regularization,
        metavar="C",
        help="C of scikit-learn's LogisticRegression: with a smaller one, the regressions follow "
        "single questions less (default: %(default)s)",
    )
    train.add_argument(
        "--prune",
        type=float,
        default=PRUNE,
        help="leave out weights that add less than this to the scores of questions on average; see "
        "TrainingOptions.prune (default: %(default)s)",
    )
    add_seed(train)
    add_jobs(train)
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


def _train(options: argparse.Namespace) -> None:
    if options.track:
        require_environment()
    times = StageTimes()
    more_inputs = [*options.partial_questions, *options.tag_sets]
    with rejects_of(options, options.out, more_inputs=more_inputs) as rejects:
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
                    inverse_regularization=options.inverse_regularization,
                    prune=options.prune,
                    jobs=options.jobs,
                    seed=options.seed,
                ),
                read_synonyms([WELL_KNOWN, *options.synonyms]),
                tag_sets=tag_sets,
                new_tags=read_new_tags(options.new_tags),
                code_examples=read_code_examples(options.code_examples),
                title_examples=read_title_examples(options.title_examples),
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
