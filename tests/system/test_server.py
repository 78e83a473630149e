"""A real server process, as the quickstart starts it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lambda_src import metrics
from tests.support.paths import ROOT
from tests.system.server import SECRET, Server


def test_a_counted_prediction_writes_one_metrics_line_and_one_event_line(server: Server) -> None:
    response, (emf, event) = server.post({"text": f"Python {SECRET} dictionaries"})
    answer = response.json()

    [directive] = emf["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Etiquette"
    assert directive["Dimensions"] == [["service"]]
    assert emf["service"] == "etiquette"
    units = {each["Name"]: each["Unit"] for each in directive["Metrics"]}
    assert units == {metric.name: metric.unit for metric in metrics.PREDICTION_METRICS}
    values = {name: emf[name][0] for name in units}
    assert values["Predictions"] == values["PredictionsWithTags"] == 1
    assert values["TagsPerPrediction"] == len(answer["predicted_tags"])
    assert values["ModelLatency"] > 0
    assert 0 < values["TopConfidence"] <= 1
    assert 0 <= values["UnknownWordShare"] < 1
    assert values["ColdStarts"] in (0, 1)

    assert event["event_type"] == "prediction"
    assert event["service"] == "etiquette"
    assert event["prediction_id"] == answer["prediction_id"]
    assert event["correlation_id"] == response.headers["x-correlation-id"]
    assert event["tags"] == answer["predicted_tags"]
    assert event["model_version"] == answer["model_version"]
    assert event["terms"]


def test_a_question_without_known_words_counts_as_one_without_tags(server: Server) -> None:
    response, (emf, event) = server.post({"text": "qwrtzp xkcdvv"})
    assert response.json()["predicted_tags"] == []
    assert (emf["Predictions"], emf["PredictionsWithTags"]) == ([1], [0])
    assert event["tags"] == []


def test_a_draft_is_answered_but_not_counted(server: Server) -> None:
    response, lines = server.post({"text": f"Python dictionary {SECRET}", "draft": True})
    assert response.json()["predicted_tags"]
    assert lines == []


@pytest.mark.parametrize(
    "body", [{"txt": SECRET}, {"text": 1, "title": SECRET}, {"text": SECRET * 10_000}, [SECRET]]
)
def test_errors_are_neither_counted_nor_logged(server: Server, body: Any) -> None:
    response, lines = server.post(body)
    assert response.is_client_error
    assert lines == []


def test_a_correlation_id_is_returned_and_logged(server: Server) -> None:
    response, (_, event) = server.post({"text": "python"}, **{"x-correlation-id": "abc-123"})
    assert response.headers["x-correlation-id"] == "abc-123"
    assert event["correlation_id"] == "abc-123"


def test_a_chunked_body_is_limited(server: Server) -> None:
    response = server.client.post(
        "/predict",
        content=(b" " * 100_000 for _ in range(20)),
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


def test_quickstart_check_prints_tags() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "quickstart", "--check"],
        env=os.environ | {"PORT": "8765"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert {"python", "dictionary"} <= set(answer["predicted_tags"])


def test_the_message_about_an_old_interpreter_says_what_to_do(tmp_path: Path) -> None:
    for name in ("scripts", "lambda_src"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "id", "env"):
        (commands / name).symlink_to(shutil.which(name) or name)
    old = commands / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] || exit 1\necho Python 3.9.2\n')
    old.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "scripts" / "quickstart"],
        env={"PATH": str(commands)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"needs Python 3\.11.*3\.9\.2.*was found", done.stderr)
    assert "Install one" in done.stderr
