"""Days of synthetic events in a folder, and runs of the monitor and its drift detectors."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lambda_src.monitor.detectors import Release
from lambda_src.monitor.run import Outcome, run
from lambda_src.monitor.store import EventStore
from tests.support.drift_streams import Site, baseline

MONDAY = date(2026, 1, 5)
RELEASE = Release("v1", baseline().to_json())


def lines(site: Site, day: date, *, n: int = 60, wrong: float = 0.0) -> Iterator[dict[str, Any]]:
    """A day's events: a prediction for each feedback, and as many others."""
    feedbacks = site.feedbacks(n, wrong=wrong)
    others = site.predictions(n)
    morning = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    for number in range(2 * n):
        judged = number < n
        tags = feedbacks.tags[number] if judged else others.tags[number - n]
        confidences = feedbacks.confidences[number] if judged else [0.5] * len(tags)
        figures = others.figures[number % n].tolist()
        event = {
            "event_version": 1,
            "timestamp": (morning + timedelta(minutes=number)).isoformat(timespec="milliseconds"),
            "prediction_id": f"{day}-{number}",
        }
        yield event | {
            "event_type": "prediction",
            "model_version": "v1",
            "tags": list(tags),
            "confidences": list(confidences),
            "top_confidence": round(figures[0], 4),
            "known_share": round(figures[1], 4),
            "words": int(figures[2]),
            "code_share": round(figures[3], 4),
            "expected_jaccard": round(figures[4], 4),
            "source": "single",
        }
        if judged:
            yield event | {
                "event_type": "feedback",
                "final_tags": list(feedbacks.final_tags[number]),
                "unknown_tags": list(feedbacks.unknown_tags[number]),
            }


def write_days(folder: Path, days: int, *, wrong_from: int = 10**9, first: int = 0) -> None:
    """Write some days of events, of which the later ones have wrong suggestions."""
    for number in range(first, days):
        day = MONDAY + timedelta(days=number)
        path = folder / "events" / f"date={day}" / "a.jsonl"
        path.parent.mkdir(parents=True)
        events = lines(Site(number), day, wrong=0.9 if number >= wrong_from else 0.0)
        path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")


def run_on(store: EventStore, days: int, release: Release | None = RELEASE) -> Outcome:
    """Run the monitor on the last of some days."""
    last = MONDAY + timedelta(days=days - 1)
    return run(store, last, release=release, memory_mb=256, threads=1)
