"""The command ``split``."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from model_build.commands.arguments import Commands, add_files, add_questions, add_seed, rejects_of
from model_build.corpus import (
    Rejects,
    read_corpus,
    read_tag_sets,
    write_questions,
    write_tag_sets,
)
from model_build.kinds import Kind, KindsError, kind_of, read_kinds
from model_build.questions import Question
from model_build.splitting import (
    PARTS,
    SPLIT_FACTS,
    KindSplit,
    is_dated,
    split,
    split_by_kind,
)
from model_build.tag_sets import without_doubles


def add_command(commands: Commands) -> None:
    """Declare ``split``."""
    command = commands.add_parser(
        "split", help="split a corpus into the parts train, validation and test"
    )
    add_questions(command)
    command.add_argument(
        "--kinds",
        type=Path,
        metavar="FILE.toml",
        help="names kinds of question: each gets a validation file and a test file of its own, at "
        "random; see docs/train.md",
    )
    add_files(
        command,
        "--partial-questions",
        "with --kinds: more training questions, as for train. Near-duplicates of held-out "
        "questions are left out",
    )
    add_files(
        command,
        "--tag-sets",
        "with --kinds: tag sets, as for train. Those of held-out questions are left out",
    )
    command.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="FOLDER",
        help="the folder for the parts",
    )
    command.add_argument(
        "--shares",
        nargs=3,
        type=float,
        default=[0.8, 0.1, 0.1],
        metavar=("TRAIN", "VALIDATION", "TEST"),
        help="the share of the questions in each part (default: 0.8 0.1 0.1)",
    )
    add_seed(command)
    command.set_defaults(run=_split)


def _split(options: argparse.Namespace) -> None:
    out: Path = options.out
    if options.kinds is None and (options.partial_questions or options.tag_sets):
        raise KindsError(
            "--partial-questions and --tag-sets work only with --kinds. Without kinds, give these "
            "files to train alone."
        )
    more = [*options.partial_questions, *options.tag_sets]
    with rejects_of(options, out, more_inputs=more) as rejects:
        facts = _by_kind(options, rejects) if options.kinds else _simply(options, rejects)
    (out / SPLIT_FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def _simply(options: argparse.Namespace, rejects: Rejects) -> dict[str, object]:
    questions = read_corpus(options.questions, rejects)
    kind = "time-ordered" if is_dated(questions) else "random"
    for name, part in zip(PARTS, split(questions, options.shares, options.seed), strict=True):
        _write(part, options.out / f"{name}.parquet", f"{kind} split")
    return {"kind": kind, "shares": options.shares, "seed": options.seed}


def _by_kind(options: argparse.Namespace, rejects: Rejects) -> dict[str, object]:
    kinds = read_kinds(options.kinds)
    questions: list[Question] = []
    kind_of_each: list[Kind | None] = []
    for path in options.questions:
        found = read_corpus([path], rejects)
        questions += found
        kind_of_each += [kind_of(question, path.name, kinds) for question in found]
    for kind in kinds:
        if kind not in kind_of_each:
            raise KindsError(
                f"{options.kinds}: {kind.name}: no question is of this kind. Change its conditions "
                "(and those of the kinds before it, which come first), or remove it."
            )
    starts = [len(questions)]
    for path in options.partial_questions:
        questions += read_corpus([], rejects, partial_paths=[path])
        starts.append(len(questions))
    kind_of_each += [None] * (len(questions) - starts[0])

    out: Path = options.out
    _refuse_older_files(out, {kind.name for kind in kinds}, options.partial_questions)
    parts = split_by_kind(questions, kind_of_each, options.shares, options.seed)
    training = set(map(id, parts.train))
    _write([each for each in parts.train if each.judged_tags is None], out / "train.parquet")
    for path, start, end in zip(options.partial_questions, starts, starts[1:], strict=False):
        kept = [question for question in questions[start:end] if id(question) in training]
        _write(kept, out / "partial" / f"{path.stem}.parquet")
    for name, held_out in (("validation", parts.validation), ("test", parts.test)):
        for kind_name, members in held_out.items():
            _write(members, out / name / f"{kind_name}.parquet", "by kind")
    if options.tag_sets:
        tag_sets = without_doubles(read_tag_sets(options.tag_sets, rejects), _held_out(parts))
        write_tag_sets(tag_sets, out / "tag_sets.parquet")
        print(f"{out / 'tag_sets.parquet'}: {len(tag_sets)} tag sets")
    print(f"{len(parts.left_out)} near-duplicates of held-out questions were left out")
    return {
        "kind": "by kind",
        "kinds": options.kinds.read_text(encoding="utf-8"),
        "shares": options.shares,
        "seed": options.seed,
    }


def _refuse_older_files(out: Path, kinds: set[str], partial: Sequence[Path]) -> None:
    """Refuse a folder with files of other kinds, which `out/test/*.parquet` would name, too."""
    expected = {"validation": kinds, "test": kinds, "partial": {path.stem for path in partial}}
    for folder, names in expected.items():
        for path in sorted((out / folder).glob("*.parquet")):
            if path.stem not in names:
                raise KindsError(
                    f"{path}: this file is of an earlier split with other kinds. Remove it, or "
                    "name another folder with --out."
                )


def _held_out(parts: KindSplit) -> list[Question]:
    whole = [*parts.validation.values(), *parts.test.values()]
    return [question for members in whole for question in members]


def _write(questions: Sequence[Question], path: Path, how: str = "") -> None:
    write_questions(questions, path)
    print(f"{path}: {len(questions)} questions{f' ({how})' if how else ''}")
