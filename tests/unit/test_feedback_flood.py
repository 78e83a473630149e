"""A hundred thousand feedbacks, most of them repeated or forged: each prediction counts once."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from lambda_src.monitor.run import run
from lambda_src.monitor.store import FolderStore
from lambda_src.tagger import TagModel
from tests.support.events import EventLog
from tests.support.paths import STARTER

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PREDICTIONS = 12_000
JUDGED = 10_000
"""How many predictions have feedback."""
REPEATS = 4
"""How many feedbacks of each judged prediction are older than the newest."""
FORGED = 20_000
"""Feedbacks for identifiers that were never predicted, each of them another one."""
DELIVERED_TWICE = 30_000
"""Lines that are in a second file, too."""
FILES = 7


class Templates(NamedTuple):
    """Lines that the service wrote, whose identifier and time are replaced."""

    prediction: str
    feedback: str
    identifier: str
    time: str

    def filled(self, line: str, number: int, milliseconds: int) -> str:
        at = (NOON + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
        return line.replace(self.identifier, str(UUID(int=number, version=4))).replace(
            self.time, at
        )


@pytest.fixture(scope="module")
def templates() -> Templates:
    log = EventLog(TagModel.load(STARTER), model_version="v1")
    identifier = log.predict(NOON, "How do I merge two dictionaries in Python?")
    log.feedback(NOON, identifier, final_tags=["TAGS"])
    prediction, feedback = log.events()
    return Templates(prediction, feedback, identifier, json.loads(prediction)["timestamp"])


def predictions(templates: Templates) -> Iterator[str]:
    for number in range(PREDICTIONS):
        yield templates.filled(templates.prediction, number, number)


def feedbacks(templates: Templates) -> Iterator[str]:
    """The newest feedback names the first suggested tag, older and forged ones another tag."""

    def line(number: int, milliseconds: int, tag: str) -> str:
        return templates.filled(templates.feedback, number, milliseconds).replace(
            '"tags"', f'"{tag}"'
        )

    for number in range(JUDGED):
        for age in range(1, REPEATS + 1):
            yield line(number, PREDICTIONS + number - age, "wrong")
        yield line(number, PREDICTIONS + number, "python")
    for number in range(PREDICTIONS, PREDICTIONS + FORGED):
        yield line(number, number, "forged")


def figures(folder: Path, lines: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the monitor makes of lines, in files that split them anyhow."""
    chance = random.Random(0)  # noqa: S311 (an order, not a secret)
    chance.shuffle(lines)
    day = folder / "events" / f"date={DAY}"
    day.mkdir(parents=True)
    for number in range(FILES):
        content = "\n".join(lines[number::FILES]) + "\n"
        (day / f"{number}.jsonl").write_text(content, encoding="utf-8")
    run(FolderStore(folder), DAY, memory_mb=256, threads=2)
    file = json.loads((folder / "days" / f"{DAY}.json").read_bytes())
    return file, file["models"]["v1"]


def test_each_feedback_counts_once(templates: Templates, tmp_path: Path) -> None:
    asked, sent = list(predictions(templates)), list(feedbacks(templates))
    chance = random.Random(1)  # noqa: S311 (a choice, not a secret)
    repeated = chance.sample(sent, DELIVERED_TWICE)
    assert len(sent) + len(repeated) == 100_000
    file, counted = figures(tmp_path, [*asked, *sent, *repeated])

    answer = json.loads(templates.prediction)
    jaccard = round(1 / len(answer["tags"]), 6)
    assert answer["tags"][0] == "python"
    assert counted["predictions"] == PREDICTIONS
    assert counted["feedbacks"] == counted["judged"] == JUDGED
    assert counted["feedback_rate"]["value"] == round(JUDGED / PREDICTIONS, 6)
    assert counted["sample_jaccard"]["denominator"] == JUDGED
    assert counted["sample_jaccard"]["numerator"] == pytest.approx(jaccard * JUDGED, abs=1e-6)
    assert counted["precision_at_1"] == {"value": 1, "numerator": JUDGED, "denominator": JUDGED}
    assert file["doubles"] == DELIVERED_TWICE
    assert file["feedback"] == {"received": JUDGED + FORGED, "without_prediction": FORGED}
    assert file["set_aside"] == 0


def test_forged_and_repeated_feedback_changes_no_figure(
    templates: Templates, tmp_path: Path
) -> None:
    """The figures are those of a day on which only the newest feedbacks came."""
    asked, sent = list(predictions(templates)), list(feedbacks(templates))
    honest = [line for line in sent if '"python"' in line]
    assert len(honest) == JUDGED
    _, flooded = figures(tmp_path / "flooded", [*asked, *sent])
    _, expected = figures(tmp_path / "honest", [*asked, *honest])
    assert flooded == expected
