"""The function as it runs: what it is built for, how it starts, how much of it there may be."""

import json
from pathlib import Path

import pytest

from infra_cdk.cross_build import CrossBuildError, check_can_build
from tests.infra.synthesis import Synthesize, Synthesized

LAMBDA = "AWS::Lambda::Function"


def test_x86_64_is_a_setting(synthesize: Synthesize) -> None:
    synthesized = synthesize(architecture="x86_64")
    assert synthesized.only(LAMBDA, "Function")["Properties"]["Architectures"] == ["x86_64"]
    (manifest,) = synthesized.assembly.glob("*.assets.json")
    (image,) = json.loads(manifest.read_text())["dockerImages"].values()
    assert image["source"]["platform"] == "linux/amd64"


def test_published_versions_start_from_a_snapshot_and_are_traced(synthesized: Synthesized) -> None:
    function = synthesized.only(LAMBDA, "Function")["Properties"]
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert function["TracingConfig"] == {"Mode": "Active"}
    # What AWS doesn't offer beside a snapshot.
    assert "EphemeralStorage" not in function
    assert "FileSystemConfigs" not in function


def test_concurrency_is_reserved_on_purpose_only(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    """A new account has ten copies for all of its functions: none can be set apart there."""
    assert "ReservedConcurrentExecutions" not in synthesized.only(LAMBDA, "Function")["Properties"]
    switched_off = synthesize(reserved_concurrency=0).only(LAMBDA, "Function")["Properties"]
    assert switched_off["ReservedConcurrentExecutions"] == 0


def test_a_start_and_a_request_end_before_api_gateway_gives_up(combination: Synthesized) -> None:
    start_seconds = 10
    for function in combination.properties(LAMBDA, "Function"):
        assert function["Timeout"] + start_seconds < 30


def handler(folder: Path, *, machine: str, state: str = "enabled") -> None:
    """An emulator of foreign programs as Linux lists it."""
    magic = f"7f454c460201010000000000000000000200{machine}"
    text = f"{state}\ninterpreter /usr/bin/qemu\nflags: F\noffset 0\nmagic {magic}\nmask ff\n"
    (folder / f"qemu-{machine}").write_text(text)


@pytest.fixture
def _no_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DOCKER", "no-such-engine")


@pytest.mark.usefixtures("_no_builder")
def test_a_foreign_architecture_needs_an_emulator(tmp_path: Path) -> None:
    with pytest.raises(CrossBuildError, match="tonistiigi/binfmt --install arm64"):
        check_can_build("arm64", machine="x86_64", handlers=tmp_path)
    handler(tmp_path, machine="3e00")
    handler(tmp_path, machine="b700", state="disabled")
    with pytest.raises(CrossBuildError, match="-c architecture=NAME"):
        check_can_build("arm64", machine="x86_64", handlers=tmp_path)
    handler(tmp_path, machine="b700")
    check_can_build("arm64", machine="x86_64", handlers=tmp_path)


@pytest.mark.usefixtures("_no_builder")
@pytest.mark.parametrize("pair", [("arm64", "aarch64"), ("arm64", "arm64"), ("x86_64", "AMD64")])
def test_the_machines_own_architecture_needs_none(tmp_path: Path, pair: tuple[str, str]) -> None:
    check_can_build(pair[0], machine=pair[1], handlers=tmp_path)
    other = "x86_64" if pair[0] == "arm64" else "arm64"
    with pytest.raises(CrossBuildError, match=f"this machine is {pair[1]}"):
        check_can_build(other, machine=pair[1], handlers=tmp_path)


@pytest.mark.parametrize(
    ("platforms", "possible"),
    [("linux/amd64*, linux/arm64, linux/arm/v7", True), ("linux/amd64, linux/386", False)],
)
def test_a_builder_that_says_what_it_builds_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platforms: str, possible: bool
) -> None:
    """A virtual machine or a machine elsewhere may build what this one can't."""
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\necho 'Name: default'\necho 'Platforms: {platforms}'\n")
    engine.chmod(0o755)
    monkeypatch.setenv("CDK_DOCKER", str(engine))
    handlers = tmp_path / "handlers"
    handlers.mkdir()
    if not possible:
        handler(handlers, machine="b700")
        with pytest.raises(CrossBuildError):
            check_can_build("arm64", machine="x86_64", handlers=handlers)
    else:
        check_can_build("arm64", machine="x86_64", handlers=handlers)
