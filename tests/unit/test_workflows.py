"""GitHub workflows: pinned actions, few permissions, and existing commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WRITES = {"id-token": "write"}
"""The only write permission: to request a token for AWS in a release."""


def workflow(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_by_digest_with_a_version_comment(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    for each in used:
        if each.startswith("./"):
            assert (ROOT / each).is_file()
        else:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_an_action_has_the_same_digest_everywhere() -> None:
    used = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    pins = set(re.findall(r"uses: ([^.\s]\S+)@([0-9a-f]{40})", used))
    assert len({name for name, _ in pins}) == len(pins)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_jobs_may_only_read_and_request_a_token(path: Path) -> None:
    content = workflow(path)
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert job.get("permissions", {"contents": "read"}) in (
            {"contents": "read"},
            {"contents": "read", **WRITES},
        )
    assert "secrets." not in path.read_text(encoding="utf-8")
    for step in steps(path):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        # Untrusted values reach the shell as variables, never as a part of the script.
        assert "${{" not in step.get("run", "")


def test_pull_requests_are_tested_on_the_oldest_and_the_newest_python() -> None:
    content = workflow(ROOT / ".github/workflows/test.yml")
    assert "pull_request" in content[True]  # YAML 1.1 parses `on` as true
    assert "pull_request_target" not in content[True]
    assert content["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert any("scripts/test" in step.get("run", "") for step in steps(FILES[-1]))


def test_main_is_deployed_to_dev_and_then_to_prod() -> None:
    content = workflow(ROOT / ".github/workflows/deploy.yml")
    assert content[True]["push"] == {"branches": ["main"]}
    jobs = content["jobs"]
    assert jobs["dev"]["needs"] == "test"
    assert jobs["prod"]["needs"] == "dev"
    for name in ("dev", "prod"):
        assert jobs[name]["with"] == {"environment": name}
    assert jobs["dev"]["if"] == "github.ref == 'refs/heads/main'"


def test_a_release_is_approved_by_its_environment_and_never_interrupted() -> None:
    (job,) = workflow(ROOT / ".github/workflows/release.yml")["jobs"].values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert job["concurrency"]["cancel-in-progress"] is False
    (credentials,) = (
        step for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")
    )
    assert not {"aws-access-key-id", "aws-secret-access-key"} & set(credentials["with"])


def test_a_merge_does_not_reset_live_settings_or_the_model() -> None:
    (job,) = workflow(ROOT / ".github/workflows/release.yml")["jobs"].values()
    (run,) = (step for step in job["steps"] if "scripts/release " in step.get("run", ""))
    assert "--keep-settings" in run["run"]
    assert run["env"]["MODEL"] == "${{ vars.MODEL }}", "without the variable, the live model stays"


def test_the_commands_of_the_workflows_exist() -> None:
    for path in FILES:
        for step in steps(path):
            for name in re.findall(r"scripts/\w+", step.get("run", "")):
                assert (ROOT / name).is_file()
