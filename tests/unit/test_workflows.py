"""GitHub workflows: pinned actions, few permissions, and existing commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
READ: dict[str, str] = {"contents": "read"}
MAY_WRITE: dict[str, dict[str, str]] = {
    "release.yml": {"id-token": "write"},  # to request a token for AWS
    "deploy.yml": {"id-token": "write"},  # hands it to release.yml
    "supply-chain.yml": {"security-events": "write"},  # to report what CodeQL found
}
"""The write permissions of some jobs."""


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
            assert re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), (
                each
            )


def test_an_action_has_the_same_digest_everywhere() -> None:
    used = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    pins = set(re.findall(r"uses: ([^.\s]\S+)@([0-9a-f]{40})", used))
    assert len({name for name, _ in pins}) == len(pins)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_jobs_may_only_read_unless_there_is_a_reason(path: Path) -> None:
    content = workflow(path)
    assert content["permissions"] == READ
    for job in content["jobs"].values():
        assert job.get("permissions", READ) in (READ, READ | MAY_WRITE.get(path.name, {}))
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
    assert any(
        "scripts/test" in step.get("run", "") for step in steps(ROOT / ".github/workflows/test.yml")
    )


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


def test_a_release_is_verified() -> None:
    (job,) = workflow(ROOT / ".github/workflows/release.yml")["jobs"].values()
    commands = [step.get("run", "") for step in job["steps"]]
    (released,) = (index for index, each in enumerate(commands) if "scripts/release " in each)
    (verified,) = (index for index, each in enumerate(commands) if "scripts/verify " in each)
    assert released < verified
    # Without bash's pipefail, the summary would hide that the verification failed.
    assert "tee" not in commands[verified] or job["steps"][verified]["shell"] == "bash"


def test_known_vulnerabilities_and_secrets_are_looked_for_each_week() -> None:
    content = workflow(ROOT / ".github/workflows/supply-chain.yml")
    assert {"schedule", "pull_request"} <= content[True].keys()
    commands = [step.get("run", "") for step in content["jobs"]["dependencies"]["steps"]]
    for command in ("vulnerabilities", "secrets", "sbom"):
        assert any(f"scripts/supply_chain {command}" in each for each in commands)
    assert content["jobs"]["code"]["strategy"]["matrix"]["language"] == [
        "python",
        "javascript-typescript",
        "c-cpp",
        "actions",
    ]


def test_dependabot_looks_at_every_dockerfile_and_package_lock() -> None:
    content = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    folders = {
        folder.strip("/")
        for update in content["updates"]
        for folder in update.get("directories", [update.get("directory")])
    }
    for file in [*(ROOT / "lambda_src").glob("*/Dockerfile"), ROOT / "model_build/Dockerfile"]:
        assert file.parent.relative_to(ROOT).as_posix() in folders
    assert "infra_cdk" in folders


def test_the_commands_of_the_workflows_exist() -> None:
    for path in FILES:
        for step in steps(path):
            for name in re.findall(r"scripts/\w+", step.get("run", "")):
                assert (ROOT / name).is_file()
