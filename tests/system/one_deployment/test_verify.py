"""scripts/verify on the emulator: what can run there passes, and the rest is named."""

import subprocess
from pathlib import Path

from scripts.emulator.account import client
from tests.support.paths import ROOT
from tests.system.facts import EMULATOR, Release
from tests.system.one_deployment.conftest import without_access_to_the_model

NAMED = {
    "a request without credentials",
    "the metric Predictions in CloudWatch",
    "the canary's requests",
    "subscribers of the alarms",
}


def verify(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [
        ROOT / "scripts" / "verify",
        "--environment",
        "emulator",
        "--emulator",
        EMULATOR,
    ]
    return subprocess.run(
        [*command, "--patience", "20", *arguments], capture_output=True, text=True, check=False
    )


def test_a_deployment_passes_and_what_was_not_checked_is_named(first_release: Release) -> None:
    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split(": ", 2) for line in done.stdout.splitlines()]
    assert {check for outcome, check, _ in lines if outcome == "not checked here"} == NAMED
    passed = {check: detail for outcome, check, detail in lines if outcome == "ok"}
    assert set(passed) == {
        "live version",
        "/health through the public URL",
        "one prediction",
        "the metrics line in the log",
        "the alarm etiquette-emulator-server-errors",
    }
    assert "not checked here: its action" in passed["the alarm etiquette-emulator-server-errors"]
    alarms = client(first_release.deployment.aws, "cloudwatch").describe_alarms(
        AlarmNames=["etiquette-emulator-server-errors"]
    )
    assert [each["StateValue"] for each in alarms["MetricAlarms"]] == ["OK"]


def test_a_deployment_that_does_not_start_fails(first_release: Release) -> None:
    with without_access_to_the_model(first_release):
        done = verify("--patience", "3")  # its log gets no line, however long one waits
    assert done.returncode == 1
    assert "FAILED: /health through the public URL: the status is" in done.stdout
    assert "FAILED: one prediction: the status is" in done.stdout
    assert "verify: etiquette-emulator failed: /health through the public URL" in done.stderr
    assert "Traceback" not in done.stderr
