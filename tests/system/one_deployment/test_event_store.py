"""From predictions of the deployed API to files in the event store, and figures from them."""

import json
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambda_src.monitor.run import run
from lambda_src.monitor.store import open_store
from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment
from scripts.emulator.logs import function_lines
from tests.support.athena import (
    figures_of_days,
    figures_of_rows,
    figures_query,
    table_statement,
)
from tests.support.paths import ROOT

QUESTIONS: list[dict[str, Any]] = [
    {"text": "How do I merge two dictionaries in Python?"},
    {"title": "Left join returns too many rows", "body": "In SQL, <code>LEFT JOIN</code>"},
    {"text": "qwrtzp xkcdvv"},
    {"text": "Flexbox does not center my div in CSS", "max_tags": 1},
    # The emulator's Athena knows a column only if an event has the field.
    {"text": "How do I undo a git commit?", "min_confidence": 0.1, "exclude": ["java"]},
]


class Events(NamedTuple):
    """The deployment, after some predictions and feedback arrived in the event store."""

    deployment: Deployment
    bucket: str
    predictions: list[str]
    """The identifiers of the predictions."""

    @property
    def s3(self) -> Any:
        return client(self.deployment.aws, "s3")

    def files(self, prefix: str = "events/") -> dict[str, bytes]:
        """The files of the event store, by key."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {
            each["Key"]: self.s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read()
            for each in found
        }

    def lines(self) -> list[str]:
        """The lines of all files."""
        return [
            line
            for content in self.files().values()
            for line in content.decode().rstrip("\n").split("\n")
        ]

    def logged(self) -> list[str]:
        """The event lines of the log."""
        return [line for line in function_lines(self.deployment) if '"event_version"' in line]


@pytest.fixture(scope="module")
def events(deployment: Deployment) -> Events:
    predictions = [
        json.loads(deployment.call("/predict", body=question).body)["prediction_id"]
        for question in QUESTIONS
    ]
    batch = deployment.call("/predict/batch", body={"questions": QUESTIONS[:2]})
    predictions += [
        each["prediction"]["prediction_id"] for each in json.loads(batch.body)["results"]
    ]
    for prediction_id, tags in zip(predictions, (["python"], ["sql", "join"]), strict=False):
        feedback = {"prediction_id": prediction_id, "final_tags": tags, "accepted": tags[:1]}
        assert deployment.call("/feedback", body=feedback).status == 202
    found = Events(deployment, deployment.outputs["EventStoreBucket"], predictions)
    deadline = time.monotonic() + 120
    while len(found.lines()) < len(found.logged()) and time.monotonic() < deadline:
        time.sleep(1)
    return found


def test_every_event_line_of_the_log_arrives_as_it_is(events: Events) -> None:
    logged = events.logged()
    assert len(logged) >= len(events.predictions) + 2
    assert sorted(events.lines()) == sorted(logged)
    assert {json.loads(line)["event_type"] for line in logged} == {"prediction", "feedback"}
    today = f"events/date={datetime.now(UTC):%Y-%m-%d}/"
    assert any(key.startswith(today) for key in events.files())
    assert events.files("set_aside/") == {}


def test_a_replay_by_the_command_line_doubles_nothing(events: Events) -> None:
    before = sorted(events.lines())
    for _ in range(2):
        done = _command(events, "replay_events", "--since", f"{datetime.now(UTC):%Y-%m-%d}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"Wrote {len(before)} lines")
    assert sorted(events.lines()) == before
    assert all(len(key.rpartition("/")[2]) == len("00.jsonl") for key in events.files())


def test_the_deployed_merge_may_do_its_work(events: Events) -> None:
    functions = client(events.deployment.aws, "lambda")
    (merge,) = (
        each["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if each["Handler"] == "event_archive.merge_handler.handler"
    )
    content = events.files()
    key = sorted(content)[-1]
    old = key.replace(f"{datetime.now(UTC):%Y-%m-%d}", f"{_yesterday()}").replace(".jsonl", "")
    for number, line in enumerate(content[key].rstrip(b"\n").split(b"\n")):
        events.s3.put_object(Bucket=events.bucket, Key=f"{old}-{number}.jsonl", Body=line + b"\n")
    answer = functions.invoke(FunctionName=merge)
    assert json.loads(answer["Payload"].read()) == {"merged_hours": 1}
    assert events.files(old) == {f"{old}.jsonl": content[key]}
    events.s3.delete_object(Bucket=events.bucket, Key=f"{old}.jsonl")


def test_athena_computes_the_figures_of_the_monitor(events: Events, tmp_path: Path) -> None:
    for key, content in events.files().items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    today = datetime.now(UTC).date()
    outcome = run(open_store(str(tmp_path)), today, memory_mb=500, threads=1)
    # On AWS, Athena itself has a statement for it.
    client(events.deployment.aws, "glue").create_database(DatabaseInput={"Name": "etiquette"})
    _query(events, table_statement(events.bucket))
    rows = _query(events, figures_query(date.fromisoformat(outcome.days[0]["day"]), today))
    expected = figures_of_days(outcome.days)
    found = figures_of_rows(rows)
    assert found.keys() == expected.keys()
    assert {cut_short for _, _, cut_short in found} == {False, True}
    for group, figures in expected.items():
        assert found[group] == pytest.approx(figures, abs=2e-6), group


def test_the_deployed_monitor_reports_on_the_events(events: Events) -> None:
    functions = client(events.deployment.aws, "lambda")
    (monitor,) = (
        each["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if "Monitor" in each["FunctionName"]
    )
    answer = functions.invoke(FunctionName=monitor)
    assert "FunctionError" not in answer
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert json.loads(answer["Payload"].read())["day"] == today
    models = json.loads(events.files("days/")[f"days/{today}.json"])["models"].values()
    # Other tests ask the same deployment. Two of these questions have options of the caller.
    assert sum(figures["prediction_rate"]["denominator"] for figures in models) >= 5
    assert sum(figures["sample_jaccard"]["denominator"] for figures in models) >= 2
    assert b"<svg" in events.files("reports/")["reports/latest.html"]
    health = events.deployment.call("/model/health")
    assert json.loads(health.body)["state"] == "not enough data"


def test_an_erased_prediction_is_in_no_file(events: Events) -> None:
    prediction_id = events.predictions[1]
    done = _command(events, "erase_prediction", prediction_id)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Removed 2 lines")
    assert not any(prediction_id in line for line in events.lines())
    done = _command(events, "replay_events", "--since", f"{datetime.now(UTC):%Y-%m-%d}")
    assert "2 others were left out" in done.stdout
    assert not any(prediction_id in line for line in events.lines())


def _query(events: Events, statement: str) -> list[dict[str, str | None]]:
    """Run a statement in Athena and return its rows."""
    athena = client(events.deployment.aws, "athena")
    started = athena.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Database": "etiquette"},
        ResultConfiguration={"OutputLocation": f"s3://{events.bucket}/athena/"},
    )["QueryExecutionId"]
    deadline = time.monotonic() + 60
    while True:
        status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"} or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert status["State"] == "SUCCEEDED", status
    results = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    rows = [[value.get("VarCharValue") for value in row["Data"]] for row in results] or [[]]
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


def _yesterday() -> str:
    return f"{datetime.fromtimestamp(time.time() - 86400, UTC):%Y-%m-%d}"


def _command(events: Events, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.event_commands", words[0], "--environment", "emulator",
         "--emulator", events.deployment.aws.name, *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
