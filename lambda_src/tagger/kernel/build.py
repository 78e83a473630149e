"""Compile the kernel for this machine: ``python -m lambda_src.tagger.kernel.build``.

The compiler comes as a Python package (requirements.txt beside this file), so that every machine
and every image has the same one and needs nothing of the system.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lambda_src.tagger.kernel import FOLDER, library_path, load_library

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


class BuildError(Exception):
    """The kernel cannot be built here; the message says why. The model answers without it."""


def build() -> None:
    """Compile kernel.c for this machine, unless that was done.

    Raises
    ------
    BuildError
        There is no compiler, none for this machine, or it failed.
    """
    machine = (os.uname().sysname, os.uname().machine) if os.name == "posix" else None
    if machine not in TARGETS:
        raise BuildError(f"no kernel is built for this machine; {__file__} lists those that have")
    if library_path().exists():
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        unfinished = Path(folder) / "kernel.so"
        compile_for(TARGETS[machine], unfinished)
        for outdated in FOLDER.glob("kernel-*.so"):
            outdated.unlink()
        unfinished.rename(library_path())
    load_library()


def compile_for(target: Sequence[str], library: Path) -> None:
    """Compile kernel.c for one of `TARGETS`; raises `BuildError`."""
    if find_spec("ziglang") is None:
        raise BuildError("the compiler is missing: run 'scripts/setup kernel'")
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(library.parent))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ziglang", "cc", *target, *_FLAGS, *_WARNINGS),
            *("-o", library, FOLDER / "kernel.c", "-lm"),
        ],
        env={**os.environ, **caches},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"kernel.c does not compile:\n{done.stderr}")


def main() -> int:
    """Build it, or say why not."""
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"kernel: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
