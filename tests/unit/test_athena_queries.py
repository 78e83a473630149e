"""The query for Athena gives the figures that the monitor computes, here with DuckDB."""

import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lambda_src.monitor.run import run
from lambda_src.monitor.store import open_store
from lambda_src.tagger import TagModel
from model_build.questions import Question
from tests.support.athena import (
    figures_of_days,
    figures_of_rows,
    figures_query,
    table_statement,
)
from tests.support.events import EventLog

NIGHT = datetime(2026, 11, 1, 20, tzinfo=UTC)
TYPES = {"string": "VARCHAR", "array<string>": "VARCHAR[]", "array<double>": "DOUBLE[]"}


@pytest.fixture
def store(tmp_path: Path, starter: TagModel, samples: list[Question]) -> Path:
    """Three days with two model versions, late, repeated and unknown feedback, and options."""
    chance = random.Random(5)  # noqa: S311 (a day, not a secret)
    for version in ("2026.11.01-aaaaaaaa", "2026.11.02-bbbbbbbb"):
        log = EventLog(starter, model_version=version, service=version)
        for number in range(150):
            sample = chance.choice(samples)
            asked = NIGHT + timedelta(minutes=12 * number)
            options: dict[str, Any] = chance.choice(
                [{}, {}, {}, {"max_tags": 2}, {"exclude": ["python"]}]
            )
            prediction = log.predict(asked, sample.title, sample.body, **options)
            later = asked + timedelta(days=chance.choice([0, 0, 3, 29, 30, 31, 33]))
            if chance.random() < 0.5:
                log.feedback(later, prediction, final_tags=[*sample.tags, *sample.tags][:5])
            if chance.random() < 0.3:
                log.feedback(later + timedelta(hours=1), prediction, accepted=sample.tags[:1])
        log.feedback(NIGHT, "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a", final_tags=["python"])
        log.write(tmp_path)
    (doubled, *_) = sorted(tmp_path.rglob("*.jsonl"))
    (doubled.parent / "again.jsonl").write_bytes(doubled.read_bytes())
    (doubled.parent / "broken.jsonl").write_text('{"event_version": 1, \n')
    return tmp_path


def test_the_query_gives_the_figures_of_the_monitor(store: Path) -> None:
    first, last = date(2026, 11, 1), date(2026, 11, 2)
    outcome = run(open_store(str(store)), date(2026, 12, 20), memory_mb=500, threads=1)
    days = [day for day in outcome.days if day["day"] <= str(last)]
    expected = figures_of_days(days)
    assert len(expected) == 8
    with duckdb.connect() as connection:
        connection.read_json(
            f"{store}/events/*/*.jsonl",
            format="newline_delimited",
            ignore_errors=True,
            hive_partitioning=True,
            hive_types={"date": "VARCHAR"},
            columns=columns(),
        ).create_view("etiquette_events")
        cursor = connection.execute(figures_query(first, last))
        names = [column[0] for column in cursor.description or ()]
        found = figures_of_rows(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    assert found.keys() == expected.keys()
    for key, figures in expected.items():
        assert found[key] == pytest.approx(figures, abs=2e-6), key


def columns() -> dict[str, str]:
    """The columns of the table, with DuckDB's types."""
    listed = re.findall(r"^    `?(\w+)`? ([\w<>]+),?$", table_statement("b"), flags=re.MULTILINE)
    return {name: TYPES.get(kind, kind) for name, kind in listed}


def test_the_table_has_every_field_of_an_event_but_the_terms(starter: TagModel) -> None:
    log = EventLog(starter)
    prediction = log.predict(
        NIGHT,
        "qwrtzp xkcdvv",
        max_tags=2,
        min_confidence=0.1,
        exclude=["python"],
        principal="0" * 16,
    )
    log.feedback(NIGHT, prediction, final_tags=["python"], accepted=["python"])
    fields = {name for line in log.events() for name in json.loads(line)}
    from_logger = {"level", "location", "message", "service"}
    assert columns().keys() == fields - from_logger - {"terms"}
