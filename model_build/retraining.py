"""Train a candidate on a corpus, and let the gate compare it with the model that is live.

This is the job of infra_cdk/retraining.py, in the image of model_build/Dockerfile. Each step is a
command of `python -m model_build`, in a process of its own, so that an engineer can repeat it.
"""

import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambda_src.tagger import TagModel, read_bundle
from model_build.errors import UserError
from model_build.gate.errors import GateError
from model_build.gate.unseen import newest_question
from model_build.locations import Location, LocationError

GATE_SHARE: Final = 0.1
"""The newest part of the corpus: the gate judges by it, and the candidate never sees it."""
_QUESTIONS: Final = "questions"
_BEHAVIOUR: Final = "behaviour"
_FOLDERS: Final = {
    _QUESTIONS: "--questions",
    "partial": "--partial-questions",
    "tag_sets": "--tag-sets",
    "synonyms": "--synonyms",
    "new_tags": "--new-tags",
    "code_examples": "--code-examples",
    "title_examples": "--title-examples",
}
"""The folders of a corpus, and the options of `train` that take their files."""
_KEPT_OPTIONS: Final = (
    "min_tag_count",
    "min_tag_set_count",
    "misleading_per_tag",
    "inverse_regularization",
    "prune",
    "seed",
)
"""The options of `train` that a candidate takes from the champion."""
_FIGURES: Final = ("sample_jaccard", "sample_f1", "precision_at_1", "prediction_rate", "ece")

Outcome = Literal["candidate", "not better", "not enough questions"]
_GATE_OUTCOMES: Final[Mapping[int, Outcome]] = {
    0: "candidate",
    1: "not better",
    3: "not enough questions",
}
"""By the exit code of `python -m model_build gate`."""


class RetrainingError(UserError):
    """A step of the retraining failed; the message names the step, and its last lines."""


@dataclass(frozen=True)
class Result:
    """What a retraining led to; the operator gets `subject` and `message`."""

    outcome: Outcome
    run: str
    model_version: str
    model_sha256: str
    model: str
    """The location of the candidate."""
    gate: str
    """The location of the gate's decision, with all figures."""
    figures: dict[str, float]
    """Of the candidate, on the newest questions."""
    subject: str
    message: str


def retrain(corpus: Location, champion: Location, out: Location, *, run: str) -> Result:
    """Train a candidate, and compare it with the champion on newer questions.

    The candidate gets the options that the champion was trained with. The candidate, its evaluation
    (``report.json``), the gate's decision (``gate.json``) and, last, ``result.json`` are written.

    Parameters
    ----------
    corpus : Location
        A folder with a folder ``questions``, and perhaps the other folders of `_FOLDERS`, which
        hold the files for the options of `train`. A folder ``behaviour`` may hold the behavioural
        tests of the site, in one file.
    champion : Location
        The bundle that is live.
    out : Location
        The folder for the results of this run.
    run : str
        The name of the run.

    Raises
    ------
    LocationError
        A location cannot be read or written, or the corpus has no questions.
    RetrainingError
        A step failed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        given = {name: (corpus / name).fetch_all(folder / name) for name in (*_FOLDERS, _BEHAVIOUR)}
        if not given[_QUESTIONS]:
            raise LocationError(f"{corpus / _QUESTIONS}: there is no file. Put the corpus there.")
        live = champion.fetch(folder / "champion.safetensors")
        older, newest = _split(given[_QUESTIONS], folder)
        candidate, report = folder / "candidate.safetensors", folder / "report.json"
        train: list[str | Path] = [
            "train",
            "--out",
            candidate,
            *_options(live),
            "--questions",
            older,
        ]
        for name, option in _FOLDERS.items():
            if name != _QUESTIONS and given[name]:
                train += [option, *given[name]]
        _run(train)
        _run(["evaluate", "--model", candidate, "--questions", newest, "--json", report])
        gate = folder / "gate.json"
        judge: list[str | Path] = ["gate", "--champion", live, "--challenger", candidate]
        judge += ["--questions", newest, "--corpus", older, "--json", gate]
        judge += ["--newer-than", _newest_day(live, candidate).isoformat()]
        if given[_BEHAVIOUR]:
            judge += ["--behaviour", given[_BEHAVIOUR][0]]
        outcome = _GATE_OUTCOMES[_run(judge, accepted=tuple(_GATE_OUTCOMES))]
        result = _result(outcome, run, candidate, report, out)
        for path in (candidate, report, gate):
            (out / path.name).store(path)
        summary = folder / "result.json"
        summary.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
        # Last: a result is whole.
        (out / summary.name).store(summary)
    return result


def _split(questions: Sequence[Path], folder: Path) -> tuple[Path, Path]:
    """Hold the newest questions back."""
    parts = folder / "parts"
    shares = ["--shares", str(1 - GATE_SHARE), "0", str(GATE_SHARE)]
    _run(["split", "--out", parts, *shares, "--questions", *questions])
    return parts / "train.parquet", parts / "test.parquet"


def _options(champion: Path) -> list[str]:
    """Return the options of `train` that the champion was trained with."""
    training = read_bundle(champion).manifest["training"]
    # An older bundle does not have every option.
    return [
        word
        for name in _KEPT_OPTIONS
        if name in training
        for word in (f"--{name.replace('_', '-')}", str(training[name]))
    ]


def _newest_day(*bundles: Path) -> date:
    """Return a day after which no question is in the corpora of these models.

    A card knows the day of the newest question only if nearly all questions have a date. Otherwise
    it is the day of the training.
    """
    days = []
    for path in bundles:
        model = TagModel.load(path)
        try:
            days.append(newest_question(model))
        except GateError:
            days.append(date.fromisoformat(model.manifest["created"]))
    return max(days)


def _run(arguments: Sequence[str | Path], accepted: Sequence[int] = (0,)) -> int:
    """Run a command of model_build, and return its exit code."""
    command = [sys.executable, "-m", "model_build", *map(str, arguments)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(done.stderr)
    if done.returncode not in accepted:
        last = "\n".join(done.stderr.splitlines()[-3:])
        raise RetrainingError(f"{arguments[0]} ended with code {done.returncode}: {last}")
    return done.returncode


def _result(outcome: Outcome, run: str, candidate: Path, report: Path, out: Location) -> Result:
    bundle = read_bundle(candidate)
    version = bundle.manifest["version"]
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    figures = {name: round(found[name], 4) for name in _FIGURES}
    model, figures_file, decision = (
        out / name for name in (candidate.name, report.name, "gate.json")
    )
    subjects: Mapping[Outcome, str] = {
        "candidate": f"Etiquette: model {version} passed the gate",
        "not better": f"Etiquette: model {version} did not pass the gate",
        "not enough questions": f"Etiquette: too few new questions to judge model {version}",
    }
    advice: Mapping[Outcome, str] = {
        "candidate": textwrap.dedent(f"""\
            The candidate is not worse than the model that is live. Look at its figures, and
            release it:

                aws s3 cp {model} .
                aws s3 cp {figures_file} .
                scripts/release --keep-settings --model candidate.safetensors --report report.json
            """),
        "not better": "The candidate is not released. gate.json says which condition it failed.\n",
        "not enough questions": "The candidate is not released: the corpus has too few questions "
        "that are newer than the one of the model that is live. Add newer ones.\n",
    }
    rows = "\n".join(f"    {name:<16} {value:.3f}" for name, value in figures.items())
    message = (
        f"{advice[outcome]}\nFigures of the candidate on {found['questions']} questions that it "
        f"was not trained on:\n\n{rows}\n\n"
        f"Files:\n\n    {model}\n    {figures_file}\n    {decision}\n"
    )
    return Result(
        outcome=outcome,
        run=run,
        model_version=version,
        model_sha256=bundle.sha256,
        model=str(model),
        gate=str(decision),
        figures=figures,
        subject=subjects[outcome],
        message=message,
    )


def record(result: Result, table: str, service: str) -> None:
    """Write a result into the table of the state machine, beside the claim of the same run.

    Raises
    ------
    LocationError
        Another run has the claim, or the table cannot be written.
    """
    try:
        boto3.client("dynamodb").update_item(
            TableName=table,
            Key={"service": {"S": service}},
            UpdateExpression="SET #outcome = :outcome, #subject = :subject, #message = :message",
            ConditionExpression="#run = :run",
            # Some names are reserved words.
            ExpressionAttributeNames={
                f"#{name}": name for name in ("outcome", "subject", "message", "run")
            },
            ExpressionAttributeValues={
                ":outcome": {"S": result.outcome},
                ":subject": {"S": result.subject},
                ":message": {"S": result.message},
                ":run": {"S": result.run},
            },
        )
    except (BotoCoreError, ClientError) as error:
        raise LocationError(
            f"{table}: cannot record the result of {result.run}: {error}"
        ) from error
