"""After an erasure, no file of the event store holds the prediction, its terms or its text.

The files are those of the real parts: the service's event lines, the archive's files, the
monitor's copies, day files, reports and detector state, and a file set aside.
"""

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from moto import mock_aws

from lambda_src.monitor.bucket_store import BucketStore
from lambda_src.monitor.release import read_release
from lambda_src.monitor.run import run
from lambda_src.tagger import TagModel
from scripts.event_store.erasing import erase, streams_with
from scripts.event_store.replaying import replay
from tests.support.events import EventLog
from tests.support.paths import STARTER

BUCKET = "event-store"
GROUP = "/aws/lambda/api"
MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = date(2026, 12, 20)  # the days of the prediction are not computed again by themselves
SECRET = "zyxwvutility"
QUESTION = f"How do I rotate the {SECRET} certificate of our Kubernetes ingress with cert-manager?"
OTHERS = [
    "How do I merge two dictionaries in Python?",
    "Why does my SQL join return duplicate rows?",
    "How do I center a div with CSS?",
]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def files(s3: Any) -> dict[str, bytes]:
    """The content of every file in the bucket. Parquet is compressed, so its rows are returned."""
    found = {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for key in [each["Key"] for page in pages for each in page.get("Contents", ())]:
        content = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        if key.endswith(".parquet"):
            with duckdb.connect() as connection:
                rows = connection.read_parquet(io.BytesIO(content)).fetchall()
            content = repr(rows).encode()
        found[key] = key.encode() + content
    return found


def monitor(s3: Any) -> None:
    run(BucketStore(BUCKET, ""), TODAY, release=read_release(STARTER), memory_mb=512, threads=1)


def traces(s3: Any, prediction: dict[str, Any]) -> dict[str, list[str]]:
    """The files that hold the identifier, the list of terms, or a word of the text."""
    terms = ", ".join(map(str, prediction["terms"]))
    wanted = {"identifier": prediction["prediction_id"], "terms": terms, "text": SECRET}
    return {
        kind: [
            key
            for key, content in files(s3).items()
            if text.encode() in content or text.replace(" ", "").encode() in content
        ]
        for kind, text in wanted.items()
    }


class Logs:
    """CloudWatch Logs, as far as a replay and an erasure need it."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def get_paginator(self, operation: str) -> "Logs":
        assert operation == "filter_log_events"
        return self

    def paginate(self, *, filterPattern: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        word = filterPattern if filterPattern == '"event_version"' else filterPattern.strip('"')
        yield {
            "events": [
                {
                    "id": str(number),
                    "eventId": str(number),
                    "message": line,
                    "logStreamName": f"stream-{number // 4}",
                    "timestamp": int(
                        datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp() * 1000
                    ),
                }
                for number, line in enumerate(self.lines)
                if word in line
            ]
        }


def test_no_file_holds_an_erased_prediction(s3: Any, starter: TagModel, tmp_path: Path) -> None:
    log = EventLog(starter, event_text=True)
    asked = log.predict(MONDAY, QUESTION)
    log.feedback(MONDAY + timedelta(days=2), asked, final_tags=["kubernetes", "ssl"])
    for number in range(30):
        other = log.predict(MONDAY + timedelta(hours=number), OTHERS[number % 3])
        log.feedback(MONDAY + timedelta(hours=number + 1), other, final_tags=["python"])
    log.write(tmp_path)
    lines = [
        line
        for path in sorted((tmp_path / "events").rglob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for path in tmp_path.rglob("*.jsonl"):
        key = path.relative_to(tmp_path).as_posix()
        s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    (event,) = (
        found
        for found in map(json.loads, lines)
        if found["event_type"] == "prediction" and SECRET in found["title"] + found["body"]
    )
    damaged = f'{{"event_version": 9, "prediction_id": "{event["prediction_id"]}"}}\n'
    s3.put_object(Bucket=BUCKET, Key="set_aside/date=2026-11-02/12-x.jsonl", Body=damaged.encode())
    monitor(s3)
    before = traces(s3, event)
    kinds = {key.partition("/")[0] for key in before["identifier"]}
    assert kinds == {"events", "compact", "set_aside"}
    assert before["terms"]
    assert before["text"]
    assert {"days", "reports", "state"} <= {key.partition("/")[0] for key in files(s3)}

    assert erase(s3, BUCKET, event["prediction_id"]) == 3
    assert traces(s3, event) == {"identifier": [], "terms": [], "text": []}
    figures = {"days/2026-11-02.json", "days/2026-11-04.json"}
    assert not figures & files(s3).keys()

    monitor(s3)
    replayed = replay(
        Logs(lines), s3, log_group=GROUP, bucket=BUCKET, since=MONDAY.date(), until=TODAY
    )
    assert replayed.erased == 2
    monitor(s3)
    assert traces(s3, event) == {"identifier": [], "terms": [], "text": []}
    # The figures are there again, without the prediction.
    day = json.loads(s3.get_object(Bucket=BUCKET, Key="days/2026-11-02.json")["Body"].read())
    assert "kubernetes" not in json.dumps(day["models"])
    assert len(files(s3)) > 5


def test_the_command_names_the_streams_that_still_hold_a_prediction(starter: TagModel) -> None:
    log = EventLog(starter)
    asked = log.predict(MONDAY, QUESTION)
    log.feedback(MONDAY + timedelta(minutes=1), asked, final_tags=["ssl"])
    log.predict(MONDAY + timedelta(minutes=2), OTHERS[0])
    lines = log.events()
    identifier = json.loads(lines[0])["prediction_id"]
    assert streams_with(Logs(lines), GROUP, identifier) == {"stream-0": 2}
