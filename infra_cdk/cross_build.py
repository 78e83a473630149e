"""Checks whether this machine can build the images, for the architecture of the functions."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

_MACHINES: Final = {"arm64": ("arm64", "aarch64"), "x86_64": ("x86_64", "amd64")}
_PLATFORMS: Final = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
_ELF_MACHINES: Final = {"arm64": "b700", "x86_64": "3e00"}
"""The architecture in the header of a program: the last two bytes of what Linux compares."""
_HANDLERS: Final = Path("/proc/sys/fs/binfmt_misc")


class CrossBuildError(Exception):
    """The image cannot be built on this machine; the message says what to install."""


def check_has_buildx() -> None:
    """Fail early if Docker lacks its plugin buildx.

    Without it, Docker builds with its legacy builder, which does not set the arguments of the
    platform: it stops at `FROM --platform=${BUILDPLATFORM}`. Some distributions do not install the
    plugin together with Docker. Podman needs none.

    Raises
    ------
    CrossBuildError
        If the container engine is installed, but has no buildx.

    References
    ----------
    https://docs.docker.com/build/building/multi-platform/#cross-compilation
    """
    engine = os.environ.get("CDK_DOCKER", "docker")
    # A program named docker may be podman. The CDK reports one that is missing.
    if "docker" in _run(engine, "--version").lower() and not _run(engine, "buildx", "version"):
        raise CrossBuildError(
            f"{engine} has no plugin buildx, which the builds of the images need. Install it: "
            "apt-get install docker-buildx on Debian 13 and Ubuntu, docker-buildx-plugin from "
            "Docker's own packages, or brew install docker-buildx"
        )


def check_can_build(
    architecture: str, *, machine: str = platform.machine(), handlers: Path = _HANDLERS
) -> None:
    """Fail early, instead of with "exec format error" in the middle of a build.

    Parameters
    ----------
    architecture
        The architecture that the functions run on: `arm64` or `x86_64`.
    machine
        The architecture of this machine, as `platform.machine` returns it.
    handlers
        Where Linux lists the emulators that it starts for programs of other architectures.

    Raises
    ------
    CrossBuildError
        If this machine has another architecture and no emulator for that one.
    """
    if machine.lower() in _MACHINES[architecture]:
        return
    # The builder may be a virtual machine or a remote machine: its own list decides.
    builder = _builder_platforms()
    if builder:
        possible = _PLATFORMS[architecture] in builder
    else:
        possible = any(_runs(handler, architecture) for handler in handlers.glob("*"))
    if not possible:
        raise CrossBuildError(
            f"the functions run on {architecture}, this machine is {machine}, and it has no "
            "emulator to build their images. Install one: with Docker, run docker run --privileged "
            f"--rm tonistiigi/binfmt --install {_PLATFORMS[architecture].removeprefix('linux/')}; "
            "with podman on Debian, run apt-get install qemu-user-static. Or let the functions run "
            "on this machine's architecture with -c architecture=NAME"
        )


def _builder_platforms() -> list[str]:
    described = _run(os.environ.get("CDK_DOCKER", "docker"), "buildx", "inspect")
    found = re.search(r"^Platforms:(.*)$", described, re.MULTILINE)
    return re.findall(r"linux/\w+", found[1]) if found else []


def _run(*command: str) -> str:
    """Return what a program writes to standard output, or nothing if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "" if done.returncode else done.stdout


def _runs(handler: Path, architecture: str) -> bool:
    """Return whether Linux starts an emulator for programs of an architecture.

    References
    ----------
    https://docs.kernel.org/admin-guide/binfmt-misc.html
    """
    try:
        lines = handler.read_text().splitlines()
    except OSError:
        return False
    return "enabled" in lines and any(
        line.startswith("magic 7f454c46") and line.endswith(_ELF_MACHINES[architecture])
        for line in lines
    )
