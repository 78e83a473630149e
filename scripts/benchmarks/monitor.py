"""The time and memory of a run of the monitor on a day with much traffic.

Real questions go through a model, and each of their event lines is written many times, with another
identifier and another time. So the lines are as long and as different as real ones, but a day of
them is made in seconds.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from uuid import UUID

from lambda_src.tagger import TagModel
from model_build.corpus import Rejects, read_questions
from model_build.questions import Question
from scripts.benchmarks.command_cost import cpu_seconds, run_measured
from scripts.benchmarks.paths import CACHE
from scripts.shared.paths import ROOT
from scripts.shared.tables import table
from tests.support.events import EventLog

PREDICTIONS: Final = 1_000_000
FEEDBACKS: Final = 100_000
TEMPLATES: Final = 3_000
"""How many different questions are answered. Their event lines are repeated."""
DAY: Final = datetime(2026, 11, 2, tzinfo=UTC)
_DAY_MS: Final = 24 * 3_600_000
_FILES: Final = 24
STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench monitor`."""
    command.add_argument("--questions", required=True, type=Path, metavar="FILE")
    command.add_argument("--model", type=Path, default=STARTER, metavar="BUNDLE")
    command.add_argument("--predictions", type=int, default=PREDICTIONS)
    command.add_argument("--feedbacks", type=int, default=FEEDBACKS)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure three runs, print the table, and return the figures."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "monitor.rejects.jsonl") as rejects:
        questions = list(islice(read_questions(options.questions, rejects), TEMPLATES))
    lines = event_lines(TagModel.load(options.model), questions)
    with TemporaryDirectory(prefix="bench-monitor-") as folder:
        size = write_day(Path(folder), lines, options.predictions, options.feedbacks)
        command = [
            *(sys.executable, "-m", "lambda_src.monitor", folder),
            *("--day", str(DAY.date()), "--model", str(options.model)),
        ]
        first = _measured(command)
        again = _measured(command)
        with next(Path(folder).rglob("*.jsonl")).open("a", encoding="utf-8") as file:
            file.write("{}\n")
        changed = _measured(command)
        day = json.loads((Path(folder) / "days" / f"{DAY.date()}.json").read_bytes())
    (figures,) = day["models"].values()
    print(f"{options.predictions:,} predictions and {options.feedbacks:,} feedbacks in one day,")
    print(f"{size / 1e6:,.0f} MB of event lines; {figures['judged']:,} judged predictions")
    runs = {"first run": first, "nothing new": again, "one new line": changed}
    print(monitor_table(runs))
    return {
        "predictions": options.predictions,
        "feedbacks": options.feedbacks,
        "event_mb": round(size / 1e6),
        "judged": figures["judged"],
        **{
            f"{name.replace(' ', '_')}_{unit}": round(value, 1)
            for name, cost in runs.items()
            for unit, value in cost._asdict().items()
        },
    }


class RunCost(NamedTuple):
    """The cost of a run of the monitor."""

    seconds: float
    processor_seconds: float
    peak_memory_mb: float


def _measured(command: Sequence[str]) -> RunCost:
    before = cpu_seconds()
    cost = run_measured(command)
    return RunCost(cost.seconds, cpu_seconds() - before, cost.peak_memory_mb)


class Lines(NamedTuple):
    """The event lines of a question, cut where the identifier and the time are written."""

    prediction: Sequence[str]
    feedback: Sequence[str]


def event_lines(model: TagModel, questions: Sequence[Question]) -> list[Lines]:
    """Answer questions, and return the lines that the service writes about them.

    Parameters
    ----------
    model
        Answers the questions.
    questions
        With the tags that the feedback names.
    """
    log = EventLog(model)
    lines = []
    for question in questions:
        identifier = log.predict(DAY, question.title[:150], question.body[:60_000])
        log.feedback(DAY, identifier, final_tags=question.tags[:5])
        lines.append(identifier)
    written = iter(log.events())
    return [
        Lines(_cut(next(written), identifier), _cut(next(written), identifier))
        for identifier in lines
    ]


def _cut(line: str, identifier: str) -> list[str]:
    """Split a line at its time and its identifier, whichever comes first."""
    time = json.loads(line)["timestamp"]
    pieces = line.replace(time, "\x00TIME\x00", 1).replace(identifier, "\x00ID\x00", 1)
    return pieces.split("\x00")


def write_day(folder: Path, lines: Sequence[Lines], predictions: int, feedbacks: int) -> int:
    """Write a day of events into an event store; return its size in bytes.

    Parameters
    ----------
    folder
        The folder of the store.
    lines
        The event lines that are repeated.
    predictions, feedbacks
        How many of both. Each feedback is for another prediction, some minutes later.
    """
    day = folder / "events" / f"date={DAY.date()}"
    day.mkdir(parents=True)
    every = predictions // feedbacks if feedbacks else predictions + 1
    size = 0
    for number in range(_FILES):
        path = day / f"{number:02}.jsonl"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_lines(lines, range(number, predictions, _FILES), every, predictions))
        size += path.stat().st_size
    return size


def _lines(
    lines: Sequence[Lines], numbers: Sequence[int], every: int, predictions: int
) -> Iterator[str]:
    chance = random.Random(numbers[0])  # noqa: S311 (times of a day, not a secret)
    for number in numbers:
        of_question = lines[number % len(lines)]
        identifier = str(UUID(int=number, version=4))
        at = number * (_DAY_MS - 600_000) // predictions
        yield _filled(of_question.prediction, identifier, at)
        if number % every == 0:
            yield _filled(of_question.feedback, identifier, at + chance.randrange(600_000))


def _filled(pieces: Sequence[str], identifier: str, milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    time = f"{DAY.date()}T{hour:02}:{minute:02}:{second:02}.{rest:03}+00:00"
    values = {"TIME": time, "ID": identifier}
    return "".join(values.get(piece, piece) for piece in pieces) + "\n"


def monitor_table(runs: Mapping[str, RunCost]) -> str:
    """Format the costs of the runs."""
    return table(
        ["Run of the monitor", "Seconds", "Processor seconds", "Peak memory, MB"],
        [
            [
                name,
                f"{cost.seconds:.1f}",
                f"{cost.processor_seconds:.1f}",
                f"{cost.peak_memory_mb:.0f}",
            ]
            for name, cost in runs.items()
        ],
    )
