"""The programs that local AWS needs, each installed once and only where it is missing."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path
from typing import Final

from scripts.emulator.commands import run
from scripts.emulator.console import LocalAwsError, say, step
from scripts.emulator.engine import architecture, docker_answers, find_engine, is_debian_root
from scripts.emulator.places import CACHE, HERE, ROOT

_NODE: Final = {"node": "nodejs", "npm": "npm"}
_CONTAINERS: Final = {
    "podman": "podman",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
}
"""Programs by the Debian package that brings them."""
_INTERFACE_EMULATOR: Final = HERE / "base_image" / "requirements-interface-emulator.txt"


def prepare(engine: str | None = None) -> None:
    """Install the system packages that are missing, where that is possible: Debian as root.

    Elsewhere it says what is missing. What needs it then says so, too.

    Parameters
    ----------
    engine
        `docker` needs no podman; by default a Docker daemon that answers is enough, too.
    """
    wanted = dict(_NODE)
    if engine == "podman" or (engine is None and not docker_answers()):
        wanted |= _CONTAINERS
    # Root's PATH may lack the folders of the programs for administrators.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    missing = sorted({wanted[name] for name in wanted if shutil.which(name, path=path) is None})
    if not missing:
        return
    if not is_debian_root():
        say(f"Missing for local AWS: {', '.join(missing)} (on Debian, root can install them here)")
        return
    with step(f"Installing {', '.join(missing)} with apt-get"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=quiet)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet)


def why_not_here() -> str | None:
    """Say what local AWS lacks on this machine, or None if it can run."""
    if not all(map(shutil.which, _NODE)):
        return "local AWS needs Node.js with npm, for the CDK command line"
    try:
        find_engine()
    except LocalAwsError as error:
        return str(error)
    return None


def emulator_program() -> Path:
    """Return MiniStack's program, installed into an environment of its own.

    It pins a botocore that is not the service's.
    """
    environment = CACHE / "venv"
    requirements = HERE / "requirements.txt"
    program = environment / "bin" / "ministack"
    stamp = environment / ".installed"
    wanted = _digest(requirements)
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


def interface_emulator() -> Path:
    """Return AWS's runtime interface emulator for this architecture.

    AWS publishes it with its command line for serverless applications, whose package is
    fetched for this one file.
    """
    program = CACHE / f"aws-lambda-rie-{_digest(_INTERFACE_EMULATOR)[:12]}"
    if program.is_file():
        return program
    with step("Fetching AWS's runtime interface emulator"):
        folder = CACHE / "download"
        run([ROOT / ".venv/bin/python", "-m", "pip", "download", "--quiet", "--no-deps",
             "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes",
             "--dest", folder, "-r", _INTERFACE_EMULATOR])  # fmt: skip
        (wheel,) = folder.glob("aws_sam_cli-*.whl")
        member = f"samcli/local/rapid/aws-lambda-rie-{architecture()}"
        with zipfile.ZipFile(wheel) as archive:
            program.write_bytes(archive.read(member))
        program.chmod(0o755)
        shutil.rmtree(folder)
    return program


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
