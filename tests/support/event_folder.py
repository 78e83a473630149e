"""Events of a few lines, and a folder of them that the monitor runs on."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from lambda_src.monitor.run import Outcome, run
from lambda_src.monitor.store import FolderStore

DAY = date(2026, 11, 2)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
Event = dict[str, Any]


def identifier(number: int) -> str:
    """The identifier of a prediction."""
    return str(UUID(int=number))


def prediction(number: int, tags: Mapping[str, float], at: datetime = NOON, **other: Any) -> Event:
    """An event of a prediction: its tags with their confidences, and other fields."""
    return {
        "event_version": 1,
        "event_type": "prediction",
        "timestamp": at.isoformat(timespec="milliseconds"),
        "prediction_id": identifier(number),
        "model_version": "v1",
        "tags": list(tags),
        "confidences": list(tags.values()),
        "top_confidence": max(tags.values(), default=0.1),
        "expected_jaccard": 0.5,
        "known_share": 0.9,
        "quiet_reason": None if tags else "not_sure",
        "terms": [3, 5],
        "words": 12,
        "code_share": 0.0,
        "max_tags": None,
        "min_confidence": None,
        "excluded": None,
        "source": "single",
        "latency_ms": 0.5,
        **other,
    }


def feedback(number: int, final_tags: Sequence[str], at: datetime = NOON, **other: Any) -> Event:
    """An event of feedback for the prediction with a number."""
    return {
        "event_version": 1,
        "event_type": "feedback",
        "timestamp": at.isoformat(timespec="milliseconds"),
        "prediction_id": identifier(number),
        "accepted": None,
        "final_tags": list(final_tags),
        "unknown_tags": [],
        "authenticated": False,
        **other,
    }


def audit(number: int, tags: Mapping[str, float], final_tags: Sequence[str]) -> Event:
    """An event of an audited question."""
    kept = ("tags", "confidences", "top_confidence", "expected_jaccard", "known_share")
    answer = prediction(number, tags)
    return {
        "event_version": 1,
        "event_type": "audit",
        "timestamp": answer["timestamp"],
        "question_id": number,
        "site": "stackoverflow",
        "creation_date": "2026-10-30",
        "final_tags": list(final_tags),
        "model_version": "v1",
        **{name: answer[name] for name in (*kept, "words", "code_share")},
    }


class Store:
    """A folder of events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(folder)

    def add(self, *events: Event | bytes, day: date | None = None, name: str = "a") -> None:
        """Append events to the files of their days, and lines to the file of the given day."""
        for event in events:
            line = event if isinstance(event, bytes) else json.dumps(event).encode()
            kind = "events"
            if isinstance(event, dict):
                kind = "audits" if event["event_type"] == "audit" else "events"
            when = str(day) if day else str(json.loads(line)["timestamp"])[:10]
            path = self.folder / kind / f"date={when}" / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(line + b"\n")

    def run(self, today: date = DAY) -> Outcome:
        return run(self.store, today, memory_mb=256, threads=2)

    def day(self, day: date = DAY, version: str = "v1") -> dict[str, Any]:
        """The figures of a model version in a day file."""
        return dict(self.file(day)["models"][version])

    def file(self, day: date = DAY) -> dict[str, Any]:
        return dict(json.loads(self.store.read(f"days/{day}.json") or b""))

    def written(self) -> dict[str, bytes]:
        """What the last run leaves for others, byte for byte."""
        keys = [*self.store.list("days/"), *self.store.list("reports/latest")]
        return {key: self.store.read(key) or b"" for key in keys}
