"""The base image of the function: AWS's own, or a substitute where AWS's registry is blocked."""

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from scripts.shared.commands import run
from scripts.shared.containers import Engine
from scripts.shared.interface_emulator import REQUIREMENTS, interface_emulator
from scripts.shared.machine import architecture, is_debian_root
from scripts.shared.paths import LOCAL_AWS_CACHE
from scripts.shared.terminal import UserError, say, step

AWS_IMAGE: Final = "public.ecr.aws/lambda/python:3.13"
_REGISTRY: Final = "https://public.ecr.aws/v2/"
_ROOT_IMAGE: Final = "localhost/etiquette/debian:trixie"
_FILES: Final = Path(__file__).with_name("base_image")


def base_image(engine: Engine) -> str:
    """Return the name of an image with Lambda's Python 3.13, and build it here if necessary.

    Parameters
    ----------
    engine
        The container engine that holds the images.

    Raises
    ------
    UserError
        If AWS's registry cannot be reached and this machine cannot build the substitute.
    """
    substitute = f"localhost/etiquette/lambda-python:3.13-{_fingerprint()}"
    if engine.has_image(substitute):
        return substitute
    if _registry_answers():
        say(f"Base image: {AWS_IMAGE}")
        return AWS_IMAGE
    if not (is_debian_root() and shutil.which("debootstrap")):
        raise UserError(
            f"Cannot download {AWS_IMAGE}. Its substitute can be built only as root on Debian with "
            "debootstrap: run scripts/local_aws prepare there."
        )
    say(f"Base image: a substitute built from Debian trixie ({AWS_IMAGE} cannot be downloaded)")
    if not engine.has_image(_ROOT_IMAGE):
        with step("Creating a minimal Debian with Python 3.13 (debootstrap)"):
            _import_debian(engine)
    with step("Building the substitute for AWS's base image"):
        _build_substitute(engine, substitute)
    return substitute


def _fingerprint() -> str:
    """Return a digest of all inputs of the substitute."""
    digest = hashlib.sha256(architecture().encode())
    for path in [*sorted(_FILES.iterdir()), REQUIREMENTS]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _registry_answers() -> bool:
    try:
        with urllib.request.urlopen(_REGISTRY, timeout=5):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code == 401  # the index needs a token, which anybody can get
    except OSError:
        return False


def _import_debian(engine: Engine) -> None:
    LOCAL_AWS_CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LOCAL_AWS_CACHE) as temporary:
        root = Path(temporary) / "root"
        packages = "--include=python3,python3-venv,ca-certificates"
        run(["debootstrap", "--variant=minbase", packages, "trixie", root])
        archive = Path(temporary) / "root.tar"
        run(["tar", "-C", root, "-cf", archive, "."])
        engine.call("import", archive, _ROOT_IMAGE)


def _build_substitute(engine: Engine, tag: str) -> None:
    with tempfile.TemporaryDirectory(dir=LOCAL_AWS_CACHE) as temporary:
        folder = Path(temporary)
        shutil.copytree(_FILES, folder, dirs_exist_ok=True)
        shutil.copy(interface_emulator(LOCAL_AWS_CACHE), folder / "aws-lambda-rie")
        engine.build(folder, tag=tag, args={"ROOT_IMAGE": _ROOT_IMAGE})
