"""Compile the kernel: ``python lambda_src/tagger/kernel/build.py``.

The compiler comes as a Python package (requirements.txt beside this file), so that every machine
and every image has the same one and needs nothing of the system. Nothing else is imported: in the
image a stage of its own compiles, also for another machine than the one that it runs on.
"""

import ctypes
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
TARGETS: Final = {
    # Of the oldest C library that any supported Python's own packages run on, and of processors
    # of the last fifteen years.
    ("Linux", "x86_64"): ("-target", "x86_64-linux-gnu.2.17", "-mcpu=x86_64_v2"),
    ("Linux", "aarch64"): ("-target", "aarch64-linux-gnu.2.17"),
    ("Darwin", "x86_64"): ("-target", "x86_64-macos"),
    ("Darwin", "arm64"): ("-target", "aarch64-macos"),
}
"""What the compiler is told, by operating system and machine."""
_FLAGS: Final = ("-std=gnu11", "-O3", "-fno-sanitize=all", "-shared", "-fPIC", "-s")
_WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")
_IMAGE_MACHINES: Final = {"amd64": ("Linux", "x86_64"), "arm64": ("Linux", "aarch64")}
"""By the names that image builders give to architectures."""

Machine = tuple[str, str]
"""Operating system and machine, as `os.uname` names them."""


class BuildError(Exception):
    """The kernel cannot be built here; the message says why. The model answers without it."""


def this_machine() -> Machine:
    """Name the machine that this runs on."""
    if os.name != "posix":
        return sys.platform, ""
    return os.uname().sysname, os.uname().machine


def library_path(machine: Machine) -> Path:
    """Where a machine's kernel is, once it is compiled: named by its source, too."""
    digest = hashlib.sha256((FOLDER / "kernel.c").read_bytes()).hexdigest()
    return FOLDER / f"kernel-{digest[:12]}-{'-'.join(machine)}.so"


def build(machine: Machine) -> None:
    """Compile kernel.c, unless that was done and what came of it can be loaded.

    Raises
    ------
    BuildError
        There is no compiler, none for this machine, it failed, or what it made cannot be loaded.
    """
    if machine not in TARGETS:
        raise BuildError(f"no kernel is built for this machine; {__file__} lists those that have")
    library = library_path(machine)
    is_own = machine == this_machine()
    if library.exists() and not (is_own and _complaint(library)):
        return
    # The suffix keeps it out of images and repositories, should nobody come to take it away.
    unfinished = library.with_suffix(f".{os.getpid()}.so")
    try:
        compile_for(TARGETS[machine], unfinished)
        if is_own and (complaint := _complaint(unfinished)):
            raise BuildError(f"the compiled kernel cannot be loaded here: {complaint}")
        unfinished.replace(library)
    finally:
        unfinished.unlink(missing_ok=True)
    for outdated in FOLDER.glob(f"kernel-*-{'-'.join(machine)}.so"):
        if outdated != library:
            outdated.unlink(missing_ok=True)


def compile_for(target: Sequence[str], library: Path) -> None:
    """Compile kernel.c for one of `TARGETS`; raises `BuildError`."""
    if find_spec("ziglang") is None:
        raise BuildError("the compiler is missing: run 'scripts/setup kernel'")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ziglang", "cc", *target, *_FLAGS, *_WARNINGS),
                *("-o", library, FOLDER / "kernel.c", "-lm"),
            ],
            env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BuildError(f"kernel.c does not compile:\n{done.stderr}")


def _complaint(library: Path) -> str:
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return ""


def main(architecture: str = "") -> int:
    """Build it for an architecture as image builders name it, or for this machine."""
    try:
        build(_IMAGE_MACHINES[architecture] if architecture else this_machine())
    except BuildError as error:
        sys.stderr.write(f"kernel: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
