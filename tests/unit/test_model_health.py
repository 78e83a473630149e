"""GET /model/health: the monitor's newest report, from a file or from S3."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from fastapi.testclient import TestClient
from moto import mock_aws

from lambda_src.api.app import create_app
from lambda_src.api.model_health import HealthReport
from lambda_src.api.problems import ProblemError
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from tests.support.paths import HEALTH_REPORT

REPORT = json.loads(HEALTH_REPORT.read_text())
SHOWN = {name: REPORT[name] for name in ("day", "state", "health")}


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(REPORT | changes), encoding="utf-8")
    return path


def test_the_newest_report_is_shown(starter: TagModel, tmp_path: Path) -> None:
    path = write(tmp_path / "latest.json")
    settings = Settings.from_environment(
        {"ETIQUETTE_MODEL": "starter", "ETIQUETTE_HEALTH_REPORT": str(path)}
    )
    response = TestClient(create_app(starter, settings)).get("/model/health")
    assert response.status_code == 200
    assert response.json() == SHOWN
    assert response.headers["cache-control"] == "public, max-age=300"


def test_without_a_report_the_answer_says_who_writes_it(starter: TagModel, tmp_path: Path) -> None:
    for location in (None, str(tmp_path / "latest.json")):
        settings = Settings(model="starter", health_report=location)
        response = TestClient(create_app(starter, settings)).get("/model/health")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert "monitor" in response.json()["detail"]


@pytest.mark.parametrize("content", ["", "[]", '{"day": 1}', "\0"])
def test_a_damaged_report_is_no_report(tmp_path: Path, content: str) -> None:
    path = tmp_path / "latest.json"
    path.write_text(content)
    with pytest.raises(ProblemError) as raised:
        HealthReport(str(path)).current()
    assert raised.value.status_code == 503


def test_a_report_is_read_again_after_five_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    path = write(tmp_path / "latest.json")
    report = HealthReport(str(path))
    assert report.current().state == "drift"
    write(path, state="ok")
    now = 299.0
    assert report.current().state == "drift"
    now = 300.0
    assert report.current().state == "ok"
    path.unlink()
    now = 600.0
    for _ in range(2):
        with pytest.raises(ProblemError):
            report.current()
    write(path)
    now = 900.0
    assert report.current().state == "drift"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(
            Bucket="store", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield client


def test_a_report_in_s3(s3: Any) -> None:
    location = "s3://store/reports/latest.json"
    with pytest.raises(ProblemError) as raised:
        HealthReport(location).current()
    assert raised.value.status_code == 404
    s3.put_object(Bucket="store", Key="reports/latest.json", Body=json.dumps(REPORT))
    assert HealthReport(location).current().model_dump() == SHOWN
    with pytest.raises(ProblemError) as raised:
        HealthReport("s3://no-such-bucket/reports/latest.json").current()
    assert raised.value.status_code == 503
