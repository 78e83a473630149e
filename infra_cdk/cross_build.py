"""Building the image for another architecture: possible here, or named with its mend."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

_MACHINES: Final = {"arm64": ("arm64", "aarch64"), "x86_64": ("x86_64", "amd64")}
_PLATFORMS: Final = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
_ELF_MACHINES: Final = {"arm64": "b700", "x86_64": "3e00"}
"""How the header of a program says what it runs on: the last two bytes that Linux looks at."""
_HANDLERS: Final = Path("/proc/sys/fs/binfmt_misc")


class CrossBuildError(Exception):
    """The image can't be built here: the message says what to install."""


def check_can_build(
    architecture: str, *, machine: str = platform.machine(), handlers: Path = _HANDLERS
) -> None:
    """Refuse to begin what would fail in the middle of a build with "exec format error".

    Parameters
    ----------
    architecture
        What the function runs on: `arm64` or `x86_64`.
    machine
        What this machine is, as `platform.machine` says it.
    handlers
        Where Linux lists the emulators that it starts for foreign programs.

    Raises
    ------
    CrossBuildError
        If this machine has another architecture and no emulator for it.
    """
    if machine.lower() in _MACHINES[architecture]:
        return
    # The builder knows best: it may be a virtual machine or far away.
    builder = _builder_platforms()
    if builder:
        possible = _PLATFORMS[architecture] in builder
    else:
        possible = any(_runs(handler, architecture) for handler in handlers.glob("*"))
    if not possible:
        raise CrossBuildError(
            f"the function runs on {architecture}, this machine is {machine}, and no emulator is "
            "installed to build its image here. With Docker: docker run --privileged --rm "
            f"tonistiigi/binfmt --install {_PLATFORMS[architecture].removeprefix('linux/')}; with "
            "podman on Debian: apt-get install qemu-user-static. Or choose this machine's own "
            "architecture for the function with -c architecture=NAME"
        )


def _builder_platforms() -> list[str]:
    engine = os.environ.get("CDK_DOCKER", "docker")
    try:
        done = subprocess.run(
            [engine, "buildx", "inspect"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = re.search(r"^Platforms:(.*)$", done.stdout, re.MULTILINE)
    return re.findall(r"linux/\w+", found[1]) if found else []


def _runs(handler: Path, architecture: str) -> bool:
    """Whether Linux starts an emulator for programs of an architecture.

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
