"""The programs that local AWS needs; each is installed once, where it is missing."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from scripts.shared.commands import run
from scripts.shared.containers import docker_answers, find_engine
from scripts.shared.machine import is_debian_root
from scripts.shared.paths import LOCAL_AWS_CACHE, ROOT
from scripts.shared.terminal import UserError, say, step

_NODE: Final = {"node": "nodejs", "npm": "npm"}
_CONTAINERS: Final = {
    "podman": "podman",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
}
"""Programs, and the Debian package that contains each."""


def prepare(engine: str | None = None) -> None:
    """Install missing system packages, if this process runs as root on Debian.

    Elsewhere it prints what is missing, and the commands that need it fail later.

    Parameters
    ----------
    engine
        `docker` or `podman`; by default podman is needed only if no Docker daemon answers.
    """
    wanted = dict(_NODE)
    if engine == "podman" or (engine is None and not docker_answers()):
        wanted |= _CONTAINERS
    # The PATH of root does not always contain the sbin folders.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    missing = sorted({wanted[name] for name in wanted if shutil.which(name, path=path) is None})
    if not missing:
        return
    if not is_debian_root():
        say(f"Local AWS needs {', '.join(missing)}. (As root on Debian, this installs them.)")
        return
    with step(f"Installing {', '.join(missing)} with apt-get"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet)


def why_not_here() -> str | None:
    """Return why local AWS cannot run on this machine, or None if it can."""
    if not all(map(shutil.which, _NODE)):
        return "local AWS needs Node.js with npm for the CDK command line"
    try:
        find_engine()
    except UserError as error:
        return str(error)
    return None


def emulator_program() -> Path:
    """Return MiniStack's program, and install it into an environment of its own if necessary.

    MiniStack pins another version of botocore than the service does.
    """
    environment = LOCAL_AWS_CACHE / "venv"
    requirements = Path(__file__).with_name("requirements.txt")
    program = environment / "bin" / "ministack"
    stamp = environment / ".installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not (program.is_file() and stamp.is_file() and stamp.read_text() == wanted):
        uv = ROOT / ".venv" / "bin" / "uv"
        python = environment / "bin" / "python"
        with step("Installing the AWS emulator (MiniStack) into its own environment"):
            run([uv, "venv", "--quiet", "--clear", "--python", ROOT / ".venv/bin/python",
                 environment])  # fmt: skip
            run([uv, "pip", "install", "--quiet", "--python", python, "--compile-bytecode",
                 "--require-hashes", "-r", requirements])  # fmt: skip
        stamp.write_text(wanted)
    return program
