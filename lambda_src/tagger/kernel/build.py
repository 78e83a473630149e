"""Compile the kernel: ``python lambda_src/tagger/kernel/build.py [amd64|arm64]``.

For this machine it uses the system's C compiler, or the Zig package (requirements.txt in this
folder) where there is none. With an architecture it builds for an image and always uses Zig, which
compiles for every machine in `TARGETS` on any of them.

An image runs this file in a build stage that has rules.py and this folder and installs nothing but
Zig. So this file and what it imports need only the standard library.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).resolve().parent

if __name__ == "__main__":
    # The packages import numpy, which may not be installed. Empty packages take their place, so
    # that Python finds the modules of the standard library only.
    for _name, _place in (
        ("lambda_src", FOLDER.parents[1]),
        ("lambda_src.tagger", FOLDER.parent),
        ("lambda_src.tagger.kernel", FOLDER),
    ):
        _package = ModuleType(_name)
        _package.__path__ = [str(_place)]
        sys.modules[_name] = _package

from lambda_src.tagger.kernel.interface import header  # noqa: E402

Machine = tuple[str, str]
"""Operating system and machine, as `os.uname` names them."""

TARGETS: Final[dict[Machine, tuple[str, ...]]] = {
    # With the oldest C library that the packages of any supported Python need.
    ("Linux", "x86_64"): ("-target", "x86_64-linux-gnu.2.17", "-mcpu=x86_64_v2"),
    ("Linux", "aarch64"): ("-target", "aarch64-linux-gnu.2.17"),
    ("Darwin", "x86_64"): ("-target", "x86_64-macos"),
    ("Darwin", "arm64"): ("-target", "aarch64-macos"),
}
"""Zig's options for each machine that has a kernel."""
_SYSTEM_OPTIONS: Final[dict[Machine, tuple[str, ...]]] = {
    # Processors of the last fifteen years.
    ("Linux", "x86_64"): ("-march=x86-64-v2",),
}
_SYSTEM_COMPILERS: Final = ("cc", "gcc", "clang")
# Without contraction, every compiler and processor computes the same sums.
_FLAGS: Final = ("-std=gnu11", "-O3", "-ffp-contract=off", "-shared", "-fPIC")
# The locked compiler has known warnings; those of a system's compiler may be new.
_ZIG_FLAGS: Final = ("-fno-sanitize=all", "-s", "-Wall", "-Wextra", "-Werror")
_IMAGE_MACHINES: Final = {"amd64": ("Linux", "x86_64"), "arm64": ("Linux", "aarch64")}
"""By the names that image builders give to architectures."""


class BuildError(Exception):
    """The kernel cannot be built here; the message says why. The model answers without it."""


class Compiler(NamedTuple):
    """A command that compiles for one machine."""

    name: str
    """For messages."""
    command: tuple[str, ...]


def this_machine() -> Machine:
    """Name the machine that this process runs on."""
    if os.name != "posix":
        return sys.platform, ""
    return os.uname().sysname, os.uname().machine


def library_path(machine: Machine) -> Path:
    """Say where a machine's compiled kernel is; its name has a digest of source and header."""
    source = (FOLDER / "kernel.c").read_bytes()
    digest = hashlib.sha256(source + header().encode()).hexdigest()
    return FOLDER / f"kernel-{digest[:12]}-{'-'.join(machine)}.so"


def build(machine: Machine, compilers: list[Compiler]) -> None:
    """Compile kernel.c with the first compiler that can, unless a library is there that loads.

    Parameters
    ----------
    machine : Machine
    compilers : list of Compiler
        For this machine, best first.

    Raises
    ------
    BuildError
        No compiler is there, all failed, or the library cannot be loaded.
    """
    library = library_path(machine)
    is_own = machine == this_machine()
    if library.exists() and not (is_own and _load_error(library)):
        return
    if not compilers:
        raise BuildError(
            "No C compiler was found. Install one (Debian: apt-get install gcc libc6-dev; macOS: "
            "xcode-select --install) and run 'scripts/setup kernel', or install the Zig package: "
            "pip install --require-hashes -r lambda_src/tagger/kernel/requirements.txt"
        )
    # The suffix keeps an unfinished library out of images and repositories.
    unfinished = library.with_suffix(f".{os.getpid()}.so")
    try:
        used = _compile(compilers, unfinished)
        if is_own and (error := _load_error(unfinished)):
            raise BuildError(f"The kernel that {used} compiled cannot be loaded here: {error}")
        unfinished.replace(library)
    finally:
        unfinished.unlink(missing_ok=True)
    sys.stderr.write(f"kernel: compiled with {used} for {' '.join(machine)}\n")
    for outdated in FOLDER.glob(f"kernel-*-{'-'.join(machine)}.so"):
        if outdated != library:
            outdated.unlink(missing_ok=True)


def compilers_for(machine: Machine, *, only_zig: bool = False) -> list[Compiler]:
    """List the compilers for a machine, best first.

    Parameters
    ----------
    machine : Machine
    only_zig : bool
        True to leave out the compilers of the system.

    Raises
    ------
    BuildError
        No kernel can be built for this machine.
    """
    if machine not in TARGETS:
        raise BuildError(f"No kernel target for {' '.join(machine)}; see TARGETS in {__file__}.")
    system = [] if only_zig or machine != this_machine() else [*_system_compilers(machine)]
    return [*system, *_zig(machine)]


def _system_compilers(machine: Machine) -> Iterator[Compiler]:
    for name in _SYSTEM_COMPILERS:
        if path := shutil.which(name):
            yield Compiler(path, (path, *_SYSTEM_OPTIONS.get(machine, ()), *_FLAGS))


def _zig(machine: Machine) -> Iterator[Compiler]:
    if find_spec("ziglang") is not None:
        command = (sys.executable, "-m", "ziglang", "cc")
        yield Compiler("Zig", (*command, *TARGETS[machine], *_FLAGS, *_ZIG_FLAGS))


def _compile(compilers: list[Compiler], library: Path) -> str:
    """Give the name of the compiler that made the library."""
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.h").write_text(header(), encoding="ascii")
        for name, command in compilers:
            done = subprocess.run(
                [*command, f"-I{folder}", "-o", library, FOLDER / "kernel.c", "-lm"],
                env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return name
            errors.append(f"{name} cannot compile kernel.c:\n{done.stderr}")
    raise BuildError("\n".join(errors))


def _load_error(library: Path) -> str:
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return ""


def main(architecture: str = "") -> int:
    """Build the kernel for an image's architecture, or for this machine; give the exit code."""
    machine = _IMAGE_MACHINES[architecture] if architecture else this_machine()
    try:
        build(machine, compilers_for(machine, only_zig=bool(architecture)))
    except BuildError as error:
        sys.stderr.write(f"kernel: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
