"""Docker's command line, with a program that stands in for it."""

from pathlib import Path

import pytest

from scripts.shared.containers import Docker
from scripts.shared.terminal import UserError

DOCKER = """#!/bin/sh
echo "$DOCKER_BUILDKIT $*" >> {log}
[ "$1" != buildx ] || exit {buildx}
"""


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, *, buildx: int) -> Path:
    """Put a `docker` whose buildx ends with a status on the path; return the log of its calls."""
    program, log = folder / "docker", folder / "log"
    program.write_text(DOCKER.format(log=log, buildx=buildx))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_docker_without_buildx_stops_before_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = docker(tmp_path, monkeypatch, buildx=1)
    with pytest.raises(UserError, match="apt-get install docker-buildx on Debian 13"):
        Docker().build(tmp_path, tag="image", args={})
    assert " build " not in log.read_text()


def test_docker_builds_with_buildkit_and_named_contexts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = docker(tmp_path, monkeypatch, buildx=0)
    Docker().build(tmp_path, tag="image", contexts={"model": Path("/models")}, args={"A": "b"})
    built = log.read_text().splitlines()[-1]
    assert built.startswith("1 build ")
    assert "--build-context model=/models" in built
    assert "--build-arg A=b" in built
