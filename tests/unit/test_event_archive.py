"""From lines of the log to files in the event store, once and only once."""

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_src import metrics
from lambda_src.event_archive import handler as archive
from lambda_src.event_archive import merge_handler, merging
from lambda_src.event_archive.lines import Hour, read_event
from lambda_src.event_archive.merging import merge_hour, settled_hours
from lambda_src.tagger import TagModel
from scripts.event_store.erasing import erase
from scripts.event_store.replaying import replay
from tests.support.cloudwatch.emf import read_log
from tests.support.events import EventLog

BUCKET, GROUP = "event-store", "/aws/lambda/api"
EVENING = datetime(2026, 11, 2, 22, 30, tzinfo=UTC)
TITLES = ["How do I merge two dictionaries in Python?", "qwrtzp xkcdvv", "Flexbox in CSS"]
Stored = dict[str, bytes]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("EVENT_STORE", BUCKET)
    monkeypatch.setenv("METRICS_NAMESPACE", metrics.NAMESPACE)
    monkeypatch.setenv("SERVICE", "here")


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield client


@pytest.fixture(scope="module")
def lines(starter: TagModel) -> list[str]:
    """Predictions and feedback around midnight."""
    log = EventLog(starter)
    for number in range(60):
        asked = EVENING + timedelta(minutes=3 * number)
        prediction = log.predict(asked, TITLES[number % 3])
        if number % 4 == 0:
            log.feedback(asked + timedelta(hours=1), prediction, final_tags=["python"])
    return log.events()


def log_events(lines: list[str]) -> list[dict[str, Any]]:
    """Give lines the form that CloudWatch Logs delivers."""
    return [
        {
            "id": str(number),
            "timestamp": int(read_event(line)["timestamp"].timestamp() * 1000),
            "message": f"{line}\n",
        }
        for number, line in enumerate(lines)
    ]


def delivery(events: list[dict[str, Any]], kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    batch = {"messageType": kind, "logGroup": GROUP, "logStream": "s", "logEvents": events}
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    return {"awslogs": {"data": data}}


def stored(s3: Any) -> Stored:
    """The files of the bucket by key."""
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {
        each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found
    }


def merge_all(s3: Any) -> Stored:
    for hour in range(48):
        merge_hour(s3, BUCKET, Hour.of(datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=hour)))
    return stored(s3)


def in_batches(events: list[dict[str, Any]], seed: int) -> list[list[dict[str, Any]]]:
    """Cut a log into batches, some of them delivered twice, in any order."""
    chance = random.Random(seed)  # noqa: S311 (cuts, not secrets)
    cuts = sorted(chance.sample(range(1, len(events)), 9))
    batches = [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]
    batches += chance.sample(batches, 3)
    chance.shuffle(batches)
    return batches


def test_every_line_is_stored_as_it_is_in_the_file_of_its_hour(s3: Any, lines: list[str]) -> None:
    archive.handler(delivery(log_events(lines)), None)
    files = stored(s3)
    assert {key.split("/")[1] for key in files} == {"date=2026-11-02", "date=2026-11-03"}
    found = []
    for key, content in files.items():
        folder, day, name = key.split("/")
        assert folder == "events"
        for line in content.decode().rstrip("\n").split("\n"):
            time = json.loads(line)["timestamp"]
            assert (day, name[:2]) == (f"date={time[:10]}", time[11:13])
            found.append(line)
    assert sorted(found) == sorted(lines)


def test_a_repeated_delivery_changes_nothing(s3: Any, lines: list[str]) -> None:
    archive.handler(delivery(log_events(lines)), None)
    before = stored(s3)
    archive.handler(delivery(log_events(lines)), None)
    assert stored(s3) == before


def test_a_failed_write_fails_the_batch_and_a_repetition_completes_it(
    s3: Any, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailsOnce:
        """S3, where the second write fails."""

        calls = 0

        def put_object(self, **arguments: Any) -> Any:
            self.calls += 1
            if self.calls == 2:
                raise ClientError({"Error": {"Code": "InternalError"}}, "PutObject")
            return s3.put_object(**arguments)

    failing = FailsOnce()
    with monkeypatch.context() as patched:
        patched.setattr(boto3, "client", lambda _: failing)
        with pytest.raises(ClientError):
            archive.handler(delivery(log_events(lines)), None)
    assert len(stored(s3)) == 1
    archive.handler(delivery(log_events(lines)), None)
    assert len(merge_all(s3)) == len({read_event(line)["timestamp"].hour for line in lines})


@pytest.mark.parametrize("seed", range(4))
def test_batches_do_not_matter_after_the_merge(s3: Any, lines: list[str], seed: int) -> None:
    for batch in in_batches(log_events(lines), seed):
        archive.handler(delivery(batch), None)
    merged = merge_all(s3)
    assert all(len(key.split("/")[2]) == len("22.jsonl") for key in merged)
    content = b"".join(merged[key] for key in sorted(merged))
    in_order = sorted(lines, key=lambda line: (json.loads(line)["timestamp"], line.encode()))
    assert content.decode().rstrip("\n").split("\n") == in_order
    assert merge_all(s3) == merged


def test_a_late_batch_is_merged_by_a_later_run(s3: Any, lines: list[str]) -> None:
    events = log_events(lines)
    archive.handler(delivery(events[::2]), None)
    merge_all(s3)
    archive.handler(delivery(events[1::2]), None)
    late = merge_all(s3)
    for key in late:
        s3.delete_object(Bucket=BUCKET, Key=key)
    archive.handler(delivery(events), None)
    assert merge_all(s3) == late


def test_a_merge_that_another_merge_overtook_loses_nothing(s3: Any, lines: list[str]) -> None:
    class Overtaken:
        """S3, where another merge runs just before this one writes."""

        def put_object(self, **arguments: Any) -> Any:
            archive.handler(delivery(events[1::2]), None)
            merge_hour(s3, BUCKET, hour)
            return s3.put_object(**arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

    events = [each for each in log_events(lines) if "T22:" in each["message"]]
    hour = Hour("2026-11-02", "22")
    archive.handler(delivery(events[::2]), None)
    assert not merge_hour(Overtaken(), BUCKET, hour)
    merged = merge_all(s3)
    assert merged["events/date=2026-11-02/22.jsonl"].count(b"\n") == len(events)


def test_a_large_hour_keeps_its_files(
    s3: Any, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MAX_MERGED_BYTES", 100)
    archive.handler(delivery(log_events(lines)), None)
    before = stored(s3)
    assert merge_all(s3) == before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"event_version": 1', "not JSON in UTF-8"),
        ('"event_version"', "not a JSON object"),
        ('{"event_version": 2, "event_type": "prediction"}', "unknown event_version"),
        ('{"event_version": 1, "event_type": "other"}', "unknown event_type"),
        ('{"event_version": [], "event_type": "feedback"}', "unknown event_version"),
        ('{"event_version": true, "event_type": "feedback"}', "unknown event_version"),
        ('{"event_version": 1, "event_type": {}}', "unknown event_type"),
        ('{"event_version": 1, "event_type": "feedback"}', "no timestamp in ISO 8601"),
        (
            '{"event_version": 1, "event_type": "feedback", "timestamp": "2026-11-02T12:00:00"}',
            "timestamp without a time zone",
        ),
        (
            '{"event_version": 1, "event_type": "feedback", '
            '"timestamp": "0001-01-01T00:00:00+01:00"}',
            "timestamp outside of the calendar",
        ),
        ('{"event_version": 1, "event_type": "feedback", "x": NaN}', "not JSON in UTF-8"),
        ('{"event_version": 1, "event_type": "feedback", "x": "\\ud800"}', "not JSON in UTF-8"),
        ('{"event_version": 1,\n "event_type": "feedback"}', "more than one line"),
        ("[" * 100_000, "not JSON in UTF-8"),
    ],
)
def test_a_line_that_is_no_known_event_is_set_aside_and_counted(
    s3: Any, lines: list[str], line: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    poison = {"id": "p", "timestamp": int(EVENING.timestamp() * 1000), "message": line}
    archive.handler(delivery([*log_events(lines[:3]), poison]), None)
    (aside,) = [
        json.loads(content)
        for key, content in stored(s3).items()
        if key.startswith("set_aside/date=2026-11-02/22")
    ]
    assert aside == {"reason": reason, "line": line}
    counted = {each.metric.name: each.value for each in read_log(capsys.readouterr().out.encode())}
    assert counted[metrics.LINES_SET_ASIDE.name] == 1
    n_predictions = sum(read_event(each)["event_type"] == "prediction" for each in lines[:3])
    assert counted[metrics.ARCHIVED_PREDICTIONS.name] == n_predictions


def test_the_metrics_are_those_that_the_alarms_watch(
    s3: Any, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    del s3
    archive.handler(delivery(log_events(lines)), None)
    samples = read_log(capsys.readouterr().out.encode())
    found = {(each.metric.namespace, each.metric.dimensions, each.metric.name) for each in samples}
    dimensions = frozenset({(metrics.SERVICE_DIMENSION, "here")})
    expected = (metrics.ARCHIVED_PREDICTIONS, metrics.LINES_SET_ASIDE)
    assert found == {(metrics.NAMESPACE, dimensions, metric.name) for metric in expected}


def test_a_control_message_is_ignored(s3: Any) -> None:
    assert archive.handler(delivery([{"message": "CWL CONTROL"}], "CONTROL_MESSAGE"), None) == {}
    assert stored(s3) == {}


def test_only_hours_that_have_ended_are_merged() -> None:
    hours = list(settled_hours(datetime(2026, 11, 4, 1, 20, tzinfo=UTC)))
    assert hours[0] == ("2026-11-02", "00")
    assert hours[-1] == ("2026-11-04", "00")
    assert len(hours) == 49
    assert hours[-2] == list(settled_hours(datetime(2026, 11, 4, 1, 10, tzinfo=UTC)))[-1]


def test_the_scheduled_merge_merges_the_last_days(s3: Any, starter: TagModel) -> None:
    log = EventLog(starter)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for title in TITLES:
        log.predict(yesterday, title)
        archive.handler(delivery(log_events(log.events()[-1:])), None)
    assert len(stored(s3)) == 3
    assert merge_handler.handler({}, None) == {"merged_hours": 1}
    (content,) = stored(s3).values()
    assert content.count(b"\n") == 3


class Logs:
    """A log group with these events, and some lines of other kinds."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events

    def get_paginator(self, operation: str) -> "Logs":
        assert operation == "filter_log_events"
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        assert arguments["filterPattern"] == '"event_version"'
        found = [
            {**each, "eventId": f"another-{each['id']}"}
            for each in self.events
            if arguments["startTime"] <= each["timestamp"] <= arguments["endTime"]
        ]
        for start in range(0, len(found), 7):
            yield {"events": found[start : start + 7]}


def replay_days(s3: Any, events: list[dict[str, Any]], since: date, until: date) -> Any:
    return replay(Logs(events), s3, log_group=GROUP, bucket=BUCKET, since=since, until=until)


@pytest.mark.parametrize("seed", range(3))
def test_a_replay_from_any_day_gives_the_same_files(s3: Any, lines: list[str], seed: int) -> None:
    poison = {"id": "p", "timestamp": int(EVENING.timestamp() * 1000), "message": '"event_version"'}
    events = [*log_events(lines), poison]
    for batch in in_batches(events, seed):
        archive.handler(delivery(batch), None)
    first, last = date(2026, 11, 2), date(2026, 11, 3)
    live = merge_all(s3)
    found = replay_days(s3, events, first, last)
    assert (found.lines, found.set_aside, found.erased) == (len(events), 1, 0)
    assert stored(s3) == live
    replay_days(s3, events, last, last)
    assert stored(s3) == live
    for key in live:
        s3.delete_object(Bucket=BUCKET, Key=key)
    replay_days(s3, events, first, last)
    assert stored(s3) == live


def test_a_replay_adds_what_a_broken_archive_missed(s3: Any, lines: list[str]) -> None:
    events = log_events(lines)
    archive.handler(delivery(events[:10]), None)
    replay_days(s3, events, date(2026, 11, 2), date(2026, 11, 3))
    replayed = stored(s3)
    archive.handler(delivery(events), None)
    assert merge_all(s3) == replayed
    assert sum(content.count(b"\n") for content in replayed.values()) == len(lines)


def test_a_replay_keeps_events_that_the_log_has_no_more(s3: Any, lines: list[str]) -> None:
    events = log_events(lines)
    archive.handler(delivery(events), None)
    before = merge_all(s3)
    replay_days(s3, events[20:], date(2026, 11, 2), date(2026, 11, 3))
    assert stored(s3) == before


def test_an_erased_prediction_is_gone_and_a_replay_does_not_bring_it_back(
    s3: Any, lines: list[str]
) -> None:
    events = log_events(lines)
    for batch in in_batches(events, 1):
        archive.handler(delivery(batch), None)
    identifier = json.loads(lines[0])["prediction_id"]
    about = [line for line in lines if identifier in line]
    assert len(about) == 2  # a prediction and its feedback
    assert erase(s3, BUCKET, identifier) >= 2
    left = b"".join(content for key, content in stored(s3).items() if key.startswith("events/"))
    assert identifier.encode() not in left
    found = replay_days(s3, events, date(2026, 11, 2), date(2026, 11, 3))
    assert found.erased == 2
    left = b"".join(merge_all(s3).values())
    assert identifier.encode() not in left
    assert left.count(b"\n") == len(lines) - 2


def test_a_file_with_nothing_else_in_it_is_deleted(s3: Any, lines: list[str]) -> None:
    archive.handler(delivery(log_events(lines[:1])), None)
    identifier = json.loads(lines[0])["prediction_id"]
    assert erase(s3, BUCKET, identifier) == 1
    assert list(stored(s3)) == [f"erased/{hashlib.sha256(identifier.encode()).hexdigest()}"]
    assert erase(s3, BUCKET, identifier) == 0
