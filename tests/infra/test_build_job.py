"""The jobs of model_build: what their image holds, and that nothing connects to them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.infra.synthesis import WITH_AUDIT, WITH_RETRAINING, Synthesize, Synthesized
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def jobs(synthesize: Synthesize) -> Synthesized:
    return synthesize(**WITH_RETRAINING, **WITH_AUDIT)


def context_of(jobs: Synthesized) -> tuple[Path, str]:
    """The folder of the image's build context, and the Dockerfile."""
    (source,) = (
        each for each in jobs.images().values() if each["dockerFile"] == "model_build/Dockerfile"
    )
    context = jobs.assembly / source["directory"]
    return context, (context / "model_build" / "Dockerfile").read_text()


def test_without_the_settings_there_is_no_network(synthesized: Synthesized) -> None:
    for kind in ("StepFunctions::StateMachine", "ECS::Cluster", "EC2::VPC"):
        synthesized.template.resource_count_is(f"AWS::{kind}", 0)


def test_all_jobs_share_one_network_without_a_gateway_that_costs(jobs: Synthesized) -> None:
    jobs.template.resource_count_is("AWS::EC2::VPC", 1)
    jobs.template.resource_count_is("AWS::EC2::NatGateway", 0)
    kinds = [each["VpcEndpointType"] for each in jobs.properties("AWS::EC2::VPCEndpoint")]
    assert set(kinds) == {"Gateway"}


def test_nothing_can_connect_to_a_job(jobs: Synthesized) -> None:
    group = jobs.only("AWS::EC2::SecurityGroup")["Properties"]
    assert "SecurityGroupIngress" not in group


def test_all_jobs_run_one_image(jobs: Synthesized) -> None:
    images = [
        container["Image"]
        for task in jobs.properties("AWS::ECS::TaskDefinition")
        for container in task["ContainerDefinitions"]
    ]
    assert len(images) == 2
    assert images[0] == images[1]


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions_of(statement: dict[str, Any]) -> list[str]:
    actions: str | list[str] = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


@pytest.mark.parametrize("construct", ["Retraining", "Audit"])
def test_a_machine_may_run_and_stop_its_own_job_only(construct: str, jobs: Synthesized) -> None:
    role = jobs.only("AWS::IAM::Role", f"{construct}MachineRole")
    ((task, _),) = jobs.resources("AWS::ECS::TaskDefinition", construct).items()
    ((cluster, _),) = jobs.resources("AWS::ECS::Cluster", construct).items()
    by_action = {
        action: statement["Resource"]
        for statement in statements(role)
        for action in actions_of(statement)
    }
    assert by_action["ecs:RunTask"] == {"Ref": task}
    assert {"Ref": cluster} in by_action["ecs:StopTask"]["Fn::Join"][1]
    assert "*" not in by_action.values()


def test_the_image_is_built_from_what_its_dockerfile_copies(jobs: Synthesized) -> None:
    context, dockerfile = context_of(jobs)
    lines = re.findall(r"^COPY (?!--from)((?:.*\\\n)*.*)$", dockerfile, re.MULTILINE)
    copied = {word for line in lines for word in line.replace("\\", "").split()[:-1]}
    for path in copied:
        assert (context / path).exists(), f"{path} is not in the build context"
    files = [path.relative_to(context) for path in context.rglob("*") if path.is_file()]
    for path in files:
        assert any(path.is_relative_to(each) for each in copied)
        assert path.suffix not in {".so", ".safetensors", ".pyc"}


@pytest.mark.parametrize(
    "name",
    [
        "model_build/{}.py.orig",
        "model_build/gate/{}~",
        "model_build/{}.log",
        "lambda_src/tagger/{}",
    ],
)
def test_files_that_belong_to_no_job_change_nothing(
    jobs: Synthesized, synthesize: Synthesize, name: str
) -> None:
    left = ROOT / name.format(uuid4())
    left.write_text("left behind")
    try:
        again = synthesize(**WITH_RETRAINING, **WITH_AUDIT)
    finally:
        left.unlink()
    assert again.template.to_json() == jobs.template.to_json()


@pytest.mark.parametrize("command", ["retrain", "audit"])
def test_the_commands_start_with_what_the_image_holds(command: str, jobs: Synthesized) -> None:
    context, _ = context_of(jobs)
    done = subprocess.run(
        [sys.executable, "-m", "model_build", command, "--help"],
        cwd=context,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
