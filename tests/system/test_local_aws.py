"""scripts/local_aws: one call from an empty machine to tags, and a complete clean-up."""

import json
import subprocess

from scripts.emulator.local_aws import LocalAws, unique
from scripts.emulator.paths import run_folder
from scripts.emulator.processes import command_line
from scripts.shared.containers import INSTANCE_LABEL
from tests.support.paths import ROOT

NAME = "command-line-test"


def local_aws(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "local_aws", "--name", NAME, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_up_deploy_predict_logs_and_down(aws: LocalAws) -> None:
    try:
        done = local_aws("up", "deploy", "predict")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["predicted_tags"][0] == "python"
        assert f"Container engine: {aws.engine.name}" in done.stderr
        assert "Deploying the stack (cdk deploy): " in done.stderr
        assert answer["prediction_id"] in local_aws("logs").stdout
        state = json.loads((run_folder(NAME) / "state.json").read_text())
    finally:
        stopped = local_aws("down")
    assert stopped.returncode == 0, stopped.stderr
    assert not run_folder(NAME).exists()
    everything = aws.engine.call("ps", "--all", "--format", "{{.Names}} {{.Labels}}")
    assert NAME not in everything
    assert unique(NAME) not in aws.engine.call("network", "ls", "--format", "{{.Name}}")
    assert aws.engine.containers(f"{INSTANCE_LABEL}={unique(NAME)}") == []
    for program, identifier in state["processes"].items():
        assert program not in command_line(identifier)


def test_predict_without_a_running_emulator_says_how_to_start_it() -> None:
    done = local_aws("predict")
    assert done.returncode == 1
    assert "Start it with: scripts/local_aws up" in done.stderr
    assert "Traceback" not in done.stderr
