"""A real Prometheus: its rules, and how it reads the server of scripts/quickstart."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from scripts.shared.local_http import Answer, fetch
from tests.support.paths import ROOT
from tests.system.server import free_port

FOLDER = ROOT / "scripts" / "prometheus"
RULES = FOLDER / "rules.yml"
HOW_TO_GET = (
    "Prometheus is not installed: run apt-get install prometheus (Debian) or "
    "brew install prometheus (macOS)"
)
DAY = 1440
"""Minutes."""
START = 60
"""Minutes with usual traffic before the cause of an alert begins."""

USUAL = {
    "etiquette_predictions_total{}": 10,
    "etiquette_predictions_with_tags_total{}": 9,
    'etiquette_top_confidence_bucket{le="0.5"}': 2,
    'etiquette_top_confidence_bucket{le="0.75"}': 8,
    'etiquette_top_confidence_bucket{le="+Inf"}': 10,
    'etiquette_unknown_word_share_bucket{le="0.2"}': 9,
    'etiquette_unknown_word_share_bucket{le="1"}': 10,
    'etiquette_unknown_word_share_bucket{le="+Inf"}': 10,
    "etiquette_feedbacks_total{}": 1,
    'etiquette_model_latency_seconds_bucket{le="0.1"}': 10,
    'etiquette_model_latency_seconds_bucket{le="0.5"}': 10,
    'etiquette_model_latency_seconds_bucket{le="+Inf"}': 10,
    'etiquette_requests_total{status="2xx"}': 12,
    'etiquette_requests_total{status="4xx"}': 1,
    'etiquette_requests_total{status="5xx"}': 0,
    'etiquette_request_duration_seconds_bucket{le="3"}': 13,
    'etiquette_request_duration_seconds_bucket{le="10"}': 13,
    'etiquette_request_duration_seconds_bucket{le="+Inf"}': 13,
}
"""What each counter grows by in a usual minute."""
CAUSES = {
    "PredictionRate": ({"etiquette_predictions_with_tags_total{}": 7}, 20, 35),
    "Confidence": ({'etiquette_top_confidence_bucket{le="0.5"}': 6}, 20, 35),
    "UnknownWords": ({'etiquette_unknown_word_share_bucket{le="0.2"}': 4}, 20, 35),
    "FeedbackSilence": ({"etiquette_feedbacks_total{}": 0}, 70, 130),
    "Heartbeat": ({}, 8, 20),
    "ModelLatency": ({'etiquette_model_latency_seconds_bucket{le="0.1"}': 9}, 8, 20),
    "ApiLatency": ({'etiquette_request_duration_seconds_bucket{le="3"}': 12}, 8, 20),
    "FailedRequests": ({'etiquette_requests_total{status="5xx"}': 3}, 4, 15),
    "ServerErrors": ({'etiquette_requests_total{status="5xx"}': 1}, 1, 6),
    "ClientErrors": ({'etiquette_requests_total{status="4xx"}': 20}, 15, 35),
}
"""Of each alert: its cause, and after how many minutes it is not raised yet, and is raised."""


@pytest.fixture(autouse=True)
def _needs_prometheus() -> None:
    if shutil.which("promtool") is None or shutil.which("prometheus") is None:
        pytest.skip(HOW_TO_GET)


def series(minutes: int, changed: dict[str, int], *, is_up: bool = True) -> list[dict[str, str]]:
    """Usual traffic for `START` minutes, and then other growths of some counters."""
    inputs = []
    for name, growth in USUAL.items():
        later = changed.get(name, growth)
        metric, labels = name.rstrip("}").split("{")
        labels = ",".join(filter(None, ['job="etiquette"', 'service="here"', labels]))
        start = growth * START
        values = f"0+{growth}x{START} {start + later}+{later}x{minutes - START}"
        inputs.append({"series": f"{metric}{{{labels}}}", "values": values})
    up = f"1x{START} {int(is_up)}x{minutes - START}"
    return [*inputs, {"series": 'up{job="etiquette"}', "values": up}]


def check(tmp_path: Path, inputs: list[dict[str, str]], *expected: tuple[int, str, bool]) -> None:
    """Let promtool check at which minutes an expression has a result or none."""
    tests = [
        {
            "expr": f"count({expression}) > bool 0 or vector(0)",
            "eval_time": f"{minute}m",
            "exp_samples": [{"value": int(is_there), "labels": "{}"}],
        }
        for minute, expression, is_there in expected
    ]
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": tests}],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", FOLDER / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_cause_below() -> None:
    names = re.findall(r"alert: (\w+)", RULES.read_text(encoding="utf-8"))
    assert sorted(names) == sorted(CAUSES)


def test_a_usual_day_raises_no_alert(tmp_path: Path) -> None:
    check(tmp_path, series(DAY, {}), (DAY, f"count_over_time(ALERTS[{DAY}m])", False))


@pytest.mark.parametrize("alert", CAUSES)
def test_its_cause_raises_an_alert_after_as_many_periods_as_in_cloudwatch(
    tmp_path: Path, alert: str
) -> None:
    changed, too_soon, late_enough = CAUSES[alert]
    raised = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
    check(
        tmp_path,
        series(START + late_enough, changed, is_up=alert != "Heartbeat"),
        (START, "ALERTS", False),
        (START + too_soon, raised, False),
        (START + late_enough, raised, True),
    )


@pytest.mark.parametrize("alert", ["PredictionRate", "Confidence", "UnknownWords", "ClientErrors"])
def test_a_few_odd_requests_at_night_raise_no_alert(tmp_path: Path, alert: str) -> None:
    changed, _, late_enough = CAUSES[alert]
    night = dict.fromkeys(USUAL, 0) | {
        name: int(value > 0) for name, value in changed.items() if "4xx" in name
    }
    check(
        tmp_path,
        series(START + late_enough, night),
        (START + late_enough, f'ALERTS{{alertname="{alert}"}}', False),
    )


def test_a_server_that_disappears_from_the_configuration_is_missed(tmp_path: Path) -> None:
    only_others = [{"series": 'up{job="another"}', "values": "1x30"}]
    check(tmp_path, only_others, (25, 'ALERTS{alertname="Heartbeat"}', True))


class Running:
    """A quickstart server and a Prometheus that reads it, with a minute of the rules as a second.

    The alerts would otherwise need three quarters of an hour.
    """

    def __init__(self, folder: Path) -> None:
        self.port, self._prometheus_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "500ms"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{self.port}"]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        rules = RULES.read_text(encoding="utf-8")
        (folder / "rules.yml").write_text(_faster(rules), encoding="utf-8")
        with (folder / "log").open("wb") as log:
            self.server = subprocess.Popen(
                ["scripts/quickstart"],
                cwd=ROOT,
                env=os.environ | {"PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._prometheus_port}",
                ],
                stdout=log,
                stderr=log,
            )

    def ask(self, text: str) -> None:
        """Send a question to the server."""
        headers = {"content-type": "application/json"}
        body = json.dumps({"text": text}).encode()
        assert fetch(f"{self.url}/predict", body=body, headers=headers).status == 200

    def is_ready(self) -> bool:
        """Say whether Prometheus answers queries: its port is open before it does."""
        return self._prometheus("-/ready").status == 200

    def query(self, expression: str) -> list[Any]:
        """Evaluate an expression now."""
        answer = json.loads(self._prometheus(f"api/v1/query?query={quote(expression)}").body)
        result: list[Any] = answer["data"]["result"]
        return result

    def _prometheus(self, path: str) -> Answer:
        return fetch(f"http://127.0.0.1:{self._prometheus_port}/{path}")

    def stop(self) -> None:
        """Stop both processes."""
        for process in (self.server, self._process):
            process.terminate()
            process.wait(20)


def _faster(rules: str) -> str:
    """Replace minutes by seconds, and hours by minutes, in the durations of the rules."""

    def seconds(duration: re.Match[str]) -> str:
        hours, minutes, rest = (int(each or 0) for each in duration.groups())
        milliseconds = hours * 60_000 + minutes * 1000 + rest * 1000 // 60
        return f"{milliseconds}ms"

    rules = re.sub(r"interval: 1m", "interval: 500ms", rules)
    part = r"(?<=[\[:])(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?=[\]:])"
    return "\n".join(
        re.sub(part, seconds, line) if "expr:" in line else line for line in rules.splitlines()
    )


def eventually(condition: Callable[[], object], seconds: float, work: Callable[[], None]) -> None:
    """Repeat some work until a condition is true."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "the condition did not come true"
        work()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tmp_path_factory.mktemp("prometheus"))
    yield started
    started.stop()


def test_prometheus_reads_the_server_and_an_alert_follows_its_cause(running: Running) -> None:
    firing = 'ALERTS{{alertname="{}",alertstate="firing"}}'
    eventually(running.is_ready, 120, lambda: time.sleep(0.2))
    eventually(lambda: running.query("up == 1"), 120, lambda: time.sleep(0.2))

    def ask_usual_questions() -> None:
        running.ask("How do I merge two dictionaries in Python?")
        time.sleep(0.1)

    eventually(lambda: running.query("etiquette_predictions_total >= 20"), 60, ask_usual_questions)
    [model] = running.query("etiquette_model_info")
    assert model["metric"]["service"] == "etiquette"
    assert running.query(firing.format("PredictionRate")) == []

    def ask_what_nobody_knows() -> None:
        running.ask("qwrtzp xkcdvv")
        time.sleep(0.05)

    eventually(lambda: running.query(firing.format("PredictionRate")), 120, ask_what_nobody_knows)
    # It may need a quarter more: half of the questions must have unknown words, and a fifth without
    # tags is enough for the alert on the prediction rate.
    eventually(lambda: running.query(firing.format("UnknownWords")), 60, ask_what_nobody_knows)
    assert running.query(firing.format("Heartbeat")) == []

    running.server.terminate()
    running.server.wait(20)
    eventually(lambda: running.query(firing.format("Heartbeat")), 60, lambda: time.sleep(0.2))
