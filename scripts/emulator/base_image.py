"""The image that ours is built on: AWS's own, or a stand-in where its registry is out of reach."""

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from scripts.emulator.commands import run
from scripts.emulator.console import LocalAwsError, say, step
from scripts.emulator.engine import Engine, architecture, is_debian_root
from scripts.emulator.places import CACHE, HERE
from scripts.emulator.tools import interface_emulator

AWS_IMAGE: Final = "public.ecr.aws/lambda/python:3.13"
_REGISTRY: Final = "https://public.ecr.aws/v2/"
_ROOT_IMAGE: Final = "localhost/etiquette/debian:trixie"
_FILES: Final = HERE / "base_image"


def base_image(engine: Engine) -> str:
    """Return the name of an image with Lambda's Python 3.13, made here if it must be.

    Parameters
    ----------
    engine
        Holds the images.

    Raises
    ------
    LocalAwsError
        If AWS's registry can't be reached and this is not a Debian that can stand in.
    """
    stand_in = f"localhost/etiquette/lambda-python:3.13-{_fingerprint()}"
    if engine.has_image(stand_in):
        return stand_in
    if _registry_answers():
        say(f"Base image: {AWS_IMAGE}")
        return AWS_IMAGE
    if not (is_debian_root() and shutil.which("debootstrap")):
        raise LocalAwsError(
            f"{AWS_IMAGE} can't be fetched from here, and its stand-in is made on Debian as root "
            "with debootstrap only: run scripts/local_aws prepare there"
        )
    say(f"Base image: a stand-in made of Debian trixie, as {AWS_IMAGE} can't be fetched from here")
    if not engine.has_image(_ROOT_IMAGE):
        with step("Making a minimal Debian with Python 3.13 (debootstrap)"):
            _import_debian(engine)
    with step("Building the stand-in for AWS's base image"):
        _build_stand_in(engine, stand_in)
    return stand_in


def _fingerprint() -> str:
    """Name everything that the stand-in is made of."""
    digest = hashlib.sha256(architecture().encode())
    for path in sorted(_FILES.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _registry_answers() -> bool:
    try:
        with urllib.request.urlopen(_REGISTRY, timeout=5):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code == 401  # it asks who we are: an image is served to anybody
    except OSError:
        return False


def _import_debian(engine: Engine) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        root = Path(temporary) / "root"
        packages = "--include=python3,python3-venv,ca-certificates"
        run(["debootstrap", "--variant=minbase", packages, "trixie", root])
        archive = Path(temporary) / "root.tar"
        run(["tar", "-C", root, "-cf", archive, "."])
        engine.call("import", archive, _ROOT_IMAGE)


def _build_stand_in(engine: Engine, tag: str) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        folder = Path(temporary)
        shutil.copytree(_FILES, folder, dirs_exist_ok=True)
        shutil.copy(interface_emulator(), folder / "aws-lambda-rie")
        engine.build(folder, tag=tag, args={"ROOT_IMAGE": _ROOT_IMAGE})
