"""Weeks of traffic in an event store, made from recorded event lines, and causes that change them.

This module needs no container. Each event is a recorded line with another identifier and time.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from lambda_src.monitor.detectors import Release
from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.observations import Predictions
from lambda_src.monitor.drift.rare_tags import RareTags

MONDAY: Final = date(2026, 11, 2)
QUIET_DAYS: Final = 14
"""Then the cause begins. The live baseline of the detectors needs 3,000 predictions."""
DAYS: Final = 29
"""The weekly tests look at whole weeks, so the run after the fourth one is the last."""
PREDICTIONS_PER_DAY: Final = 300
FEEDBACK_SHARE: Final = 0.3
AUDITS_PER_DAY: Final = 20
BASELINE_PREDICTIONS: Final = 6_000

Event = dict[str, Any]


class Answered(NamedTuple):
    """The recorded lines of a question."""

    prediction: Event
    feedback: Event
    """With the tags that the question really has."""


Recorded = Mapping[str, Sequence[Answered]]
"""By kind of question: `sample`, `other language`."""


@dataclass(frozen=True)
class Traffic:
    """What people do on a day."""

    kinds: Mapping[str, float]
    """The share of each kind of question."""
    final_tags: Callable[[Answered, random.Random], list[str]] = lambda answered, _: list(
        answered.feedback["final_tags"]
    )
    """What the feedback names."""
    audited_tags: Callable[[Answered, random.Random], list[str]] = lambda answered, _: list(
        answered.feedback["final_tags"]
    )
    """What the audited questions have."""
    is_audited: bool = True
    prefers: str | None = None
    """A tag whose questions are asked five times as often."""
    flood: float = 0.0
    """For each feedback of the others, so many predictions of one caller, which says of each that
    every suggestion was right."""
    identified: bool = False
    """Whether API Gateway identified the callers: the events then have their pseudonyms."""


PEOPLE: Final = 40
"""How many callers there are besides the one of a flood, if they are identified."""
QUIET: Final = Traffic({"sample": 1.0})


def write_days(folder: Path, recorded: Recorded, traffic: Traffic, first: int, last: int) -> None:
    """Write the events of some days, numbered from `MONDAY`, which is 0.

    Parameters
    ----------
    folder
        An event store.
    recorded
        What the events are made of.
    traffic
        What people do on these days.
    first, last
        The first day, and the day after the last one.
    """
    for number in range(first, last):
        chance = random.Random(number)  # noqa: S311 (a day, not a secret)
        day = MONDAY + timedelta(days=number)
        asked = _asked(recorded, traffic, chance)
        _write(folder / "events" / f"date={day}", list(_events(asked, traffic, day, chance)))
        if not traffic.is_audited:
            continue
        audited = [chance.choice(recorded["sample"]) for _ in range(AUDITS_PER_DAY)]
        audits = [
            _audit(answered, day, 1000 * number + place, traffic.audited_tags(answered, chance))
            for place, answered in enumerate(audited)
        ]
        _write(folder / "audits" / f"date={day}", audits)


def _asked(recorded: Recorded, traffic: Traffic, chance: random.Random) -> list[Answered]:
    kinds = chance.choices(list(traffic.kinds), [*traffic.kinds.values()], k=PREDICTIONS_PER_DAY)
    asked = []
    for kind in kinds:
        weights = [
            5 if traffic.prefers in each.prediction["tags"] else 1 for each in recorded[kind]
        ]
        asked += chance.choices(recorded[kind], weights)
    return asked


def _events(
    asked: Sequence[Answered], traffic: Traffic, day: date, chance: random.Random
) -> list[Event]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    events = []
    for place, answered in enumerate(asked):
        at = midnight + timedelta(days=place / len(asked))
        identity = {"prediction_id": str(UUID(int=chance.getrandbits(128)))}
        if traffic.identified:
            identity["principal"] = f"{place % PEOPLE:016x}"
        events.append(answered.prediction | identity | {"timestamp": _time(at)})
        if chance.random() < FEEDBACK_SHARE:
            tags = traffic.final_tags(answered, chance)
            unknown = [tag for tag in tags if tag.startswith(NEW_TAG)]
            events.append(
                answered.feedback
                | identity
                | {"timestamp": _time(at), "final_tags": tags}
                | {"unknown_tags": [*answered.feedback["unknown_tags"], *unknown]}
            )
    for number in range(round(traffic.flood * FEEDBACK_SHARE * len(asked))):
        events += _flooded(asked[number % len(asked)], traffic, midnight, chance)
    return events


def _flooded(
    answered: Answered, traffic: Traffic, at: datetime, chance: random.Random
) -> list[Event]:
    identity = {"prediction_id": str(UUID(int=chance.getrandbits(128))), "timestamp": _time(at)}
    if traffic.identified:
        identity["principal"] = "f" * 16
    own = {"final_tags": _the_suggestions(answered, chance), "unknown_tags": []}
    return [answered.prediction | identity, answered.feedback | identity | own]


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


_AUDITED: Final = (
    *("model_version", "tags", "confidences", "top_confidence", "expected_jaccard"),
    *("known_share", "words", "code_share"),
)


def _audit(answered: Answered, day: date, question: int, final_tags: list[str]) -> Event:
    return {
        "event_version": 1,
        "event_type": "audit",
        "timestamp": f"{day}T06:00:00.000Z",
        "site": "stackoverflow",
        "question_id": question,
        "creation_date": str(day - timedelta(days=4)),
        "final_tags": final_tags,
        **{name: answered.prediction[name] for name in _AUDITED},
    }


def _write(folder: Path, events: Sequence[Event]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(event)}\n" for event in events)
    (folder / "all.jsonl").write_text(lines, encoding="utf-8")


def release_of(recorded: Recorded) -> Release:
    """Return a release whose baseline was made of the same questions as the quiet days."""
    chance = random.Random(0)  # noqa: S311 (a baseline, not a secret)
    events = [chance.choice(recorded["sample"]).prediction for _ in range(BASELINE_PREDICTIONS)]
    baseline = Baseline.of(
        Predictions.from_events(events),
        n_questions=20_000,
        rare_tags=RareTags.of({}),
        sample_jaccard=0.372,
    )
    return Release(events[0]["model_version"], baseline.to_json())


NEW_TAG: Final = "brand-new"


def _others(answered: Answered, chance: random.Random) -> list[str]:
    """Tags that the question does not have and that were not suggested."""
    return [f"another-{chance.randrange(9)}"]


def _the_suggestions(answered: Answered, chance: random.Random) -> list[str]:
    return list(answered.prediction["tags"]) or ["python"]


def _sometimes_new(answered: Answered, chance: random.Random) -> list[str]:
    return [*answered.feedback["final_tags"], *([NEW_TAG] if chance.random() < 0.2 else [])]


FLOOD: Final = Traffic({"sample": 1.0}, flood=3.0)
"""Three quarters of the feedback are of one caller; the audited questions are as usual."""


class MonitorDrill(NamedTuple):
    """A cause, and the alarms that it must raise."""

    what: str
    traffic: Traffic
    alarms: frozenset[str]
    """The anchors of the runbook entries."""
    no_others: bool = False
    """Whether every other alarm must stay quiet."""


MONITOR_DRILLS: Final = [
    MonitorDrill(
        "people choose other tags",
        Traffic({"sample": 1.0}, final_tags=_others),
        frozenset(
            {
                "weekly-jaccard",
                "weekly-f-score",
                "suggested-and-chosen-tags",
                "concept-drift",
                "model-drift",
            }
        ),
    ),
    MonitorDrill(
        "half of the questions are in another language",
        Traffic({"sample": 0.5, "other language": 0.5}),
        frozenset({"weekly-prediction-rate", "data-drift", "slow-drift"}),
    ),
    MonitorDrill(
        "one subject becomes five times as common",
        Traffic({"sample": 1.0}, prefers="python"),
        frozenset({"label-shift"}),
    ),
    MonitorDrill(
        "the site's new questions have other tags",
        Traffic({"sample": 1.0}, audited_tags=_others),
        frozenset({"audit-jaccard"}),
    ),
    MonitorDrill(
        "a client floods the service with its own predictions and praises them",
        FLOOD,
        frozenset({"feedback-and-audit"}),
        no_others=True,
    ),
    MonitorDrill(
        "no audit writes anything",
        Traffic({"sample": 1.0}, is_audited=False),
        frozenset({"audit-silent"}),
    ),
    MonitorDrill(
        "a new tag is in a fifth of the feedback",
        Traffic({"sample": 1.0}, final_tags=_sometimes_new),
        frozenset({"new-tags"}),
    ),
]
MONITOR_ALARMS: Final = frozenset().union(*(drill.alarms for drill in MONITOR_DRILLS)) | {
    "monitor-silent"
}
"""All alarms that these drills raise. The drill of the last one is that no run comes."""
