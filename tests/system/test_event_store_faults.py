"""The emulator is restarted while event lines are on their way from the log to S3."""

import base64
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from lambda_src.event_archive import handler as archive
from lambda_src.tagger import TagModel
from scripts.emulator import processes
from scripts.emulator.tools import emulator_program, prepare
from scripts.event_store.replaying import replay
from scripts.shared.local_http import fetch
from tests.support.events import EventLog
from tests.system.server import free_port

pytestmark = pytest.mark.faults

BUCKET, GROUP, STREAM = "events-of-faults", "/aws/lambda/faults", "instance"
BATCH = 5


class Emulator:
    """The AWS emulator alone, without containers, and with files that outlive a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = str(free_port())
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        environment = os.environ | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": self._port,
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "s3"),
            "STATE_DIR": str(self._folder / "state"),
            "TMPDIR": str(self._folder),
        }
        self._process = processes.start(
            [emulator_program()],
            env=environment,
            log=self._folder / "emulator.log",
            ready=self._is_ready,
        )

    def stop(self) -> None:
        processes.end(emulator_program().name, self._process)

    def _is_ready(self) -> bool:
        try:
            return fetch(f"{self.url}/_ministack/ready", timeout=2).status == 200
        except OSError:
            return False


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    prepare()
    emulator = Emulator(tmp_path)
    variables = {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "EVENT_STORE": BUCKET,
        "METRICS_NAMESPACE": "Etiquette",
        "SERVICE": "here",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def log_events(starter: TagModel) -> list[dict[str, Any]]:
    """Lines as CloudWatch Logs keeps them, of the last hours."""
    log = EventLog(starter)
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    for number in range(16):
        asked = begin + timedelta(minutes=7 * number)
        prediction = log.predict(asked, "How do I merge two dictionaries in Python?")
        if number % 4 == 0:
            log.feedback(asked + timedelta(minutes=1), prediction, final_tags=["python"])
    return [
        {
            "timestamp": int(
                datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp() * 1000
            ),
            "message": line,
        }
        for line in log.events()
    ]


def deliver(batch: list[dict[str, Any]]) -> None:
    """Give a batch to the archive, as CloudWatch Logs does."""
    data = {"messageType": "DATA_MESSAGE", "logEvents": batch}
    packed = base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()
    archive.handler({"awslogs": {"data": packed}}, None)


def stored_lines() -> list[str]:
    s3: Any = boto3.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    contents = [s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found]
    return sorted(line for content in contents for line in content.decode().splitlines())


def test_a_restart_between_the_log_and_s3_loses_nothing(
    emulator: Emulator, log_events: list[dict[str, Any]]
) -> None:
    logs, s3 = boto3.client("logs"), boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=log_events)
    batches = [log_events[start : start + BATCH] for start in range(0, len(log_events), BATCH)]
    delivered, interrupted, repeated, never = batches[:4]
    deliver(delivered)
    emulator.stop()
    for batch in (interrupted, repeated):
        # The exception makes Lambda repeat the batch.
        with pytest.raises(BotoCoreError):
            deliver(batch)
    emulator.start()
    expected = [each["message"] for each in delivered]
    assert stored_lines() == sorted(expected)
    for _ in range(2):
        deliver(repeated)
    expected += [each["message"] for each in repeated]
    assert stored_lines() == sorted(expected)
    # What Lambda gave up is still in the log.
    today = datetime.now(UTC).date()
    found = replay(
        boto3.client("logs"),
        boto3.client("s3"),
        log_group=GROUP,
        bucket=BUCKET,
        since=today - timedelta(days=1),
        until=today,
    )
    assert (found.lines, found.set_aside) == (len(log_events), 0)
    assert never
    assert stored_lines() == sorted(each["message"] for each in log_events)
