"""Whether this machine can build an image for another architecture."""

from pathlib import Path

import pytest

from infra_cdk.cross_build import CrossBuildError, check_can_build, check_has_buildx


def handler(folder: Path, *, machine: str, state: str = "enabled") -> None:
    """List an emulator for programs of another architecture, as Linux does."""
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
def test_the_own_architecture_needs_no_emulator(tmp_path: Path, pair: tuple[str, str]) -> None:
    check_can_build(pair[0], machine=pair[1], handlers=tmp_path)
    other = "x86_64" if pair[0] == "arm64" else "arm64"
    with pytest.raises(CrossBuildError, match=f"this machine is {pair[1]}"):
        check_can_build(other, machine=pair[1], handlers=tmp_path)


@pytest.mark.parametrize(
    ("platforms", "possible"),
    [("linux/amd64*, linux/arm64, linux/arm/v7", True), ("linux/amd64, linux/386", False)],
)
def test_the_builders_own_list_of_platforms_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platforms: str, possible: bool
) -> None:
    """The builder may be a virtual or a remote machine, which can build more than this one."""
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


@pytest.mark.parametrize(
    ("version", "buildx", "possible"),
    [
        ("Docker version 28.2.2", 0, True),
        ("Docker version 28.2.2", 1, False),
        ("podman 5", 1, True),
        (None, 1, True),  # no engine at all: the CDK says so
    ],
)
def test_docker_needs_buildx_and_podman_does_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str | None,
    buildx: int,
    possible: bool,
) -> None:
    engine = tmp_path / "engine"
    answer = f"[ $1 = --version ] && echo {version} && exit\necho buildx 0.1\nexit {buildx}"
    if version is not None:
        engine.write_text(f"#!/bin/sh\n{answer}\n")
        engine.chmod(0o755)
    monkeypatch.setenv("CDK_DOCKER", str(engine))
    if possible:
        check_has_buildx()
    else:
        with pytest.raises(CrossBuildError, match="apt-get install docker-buildx on Debian 13"):
            check_has_buildx()
