"""Bundles from MLflow's registry, and its alias `champion`, which follows what is live.

A release takes the bundle file and its digest from the registry and never lets MLflow load the
model: loading runs code that is part of the model.
"""

import os
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from lambda_src.tagger import BundleError, read_bundle
from model_build.tracking.environment import (
    DEFAULT_STORE,
    URI_VARIABLE,
    TrackingError,
    call,
    tracking_uri,
)
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.shared.paths import ROOT
from scripts.shared.terminal import say, step

SCHEME: Final = "models:/"
_FOLDER: Final = ROOT / ".cache" / "registered_models"


@dataclass(frozen=True)
class RegisteredModel:
    """A bundle from the registry. Its digest is the one that the registry names."""

    path: Path
    name: str
    version: str

    @classmethod
    def download(cls, model: str) -> Self:
        """Download a bundle and compare its digest with the registry's, before anything is parsed.

        Parameters
        ----------
        model
            `models:/NAME@ALIAS` or `models:/NAME/VERSION`.

        Raises
        ------
        ReleaseError
            If MLflow is not installed or cannot be reached, if there is no such version, or if the
            file is not the registered one.
        """
        _FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            with step(f"Downloading {model}"):
                found = call("download", tracking_uri(), model=model, folder=_FOLDER)
            read_bundle(found["path"], found["sha256"])
        except (TrackingError, BundleError) as error:
            raise ReleaseError(str(error)) from error
        say(f"{model} is version {found['version']}, SHA-256 {found['sha256']}")
        return cls(Path(found["path"]), found["name"], found["version"])


def move_champion(function: Function, name: str | None = None) -> None:
    """Move the alias `champion` to the model version that is live now.

    Nothing happens if no registry is in use. A failure is a warning, because the release itself
    succeeded.

    Parameters
    ----------
    function
        The function after a release or a rollback.
    name
        The registered model, if the release named it; otherwise the one that was released to this
        stack before with the same bundle.
    """
    if name is None and URI_VARIABLE not in os.environ and not DEFAULT_STORE.exists():
        return
    number = function.live().version
    sha256 = next(each.model_sha256 for each in function.versions() if each.number == number)
    stack = function.target.stack
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    facts = f"version {number}, live since {moment}"
    try:
        champion = call(
            "follow_release",
            tracking_uri(),
            sha256=sha256,
            release=stack,
            facts=facts,
            name=name,
        )
    except TrackingError as error:
        command = ["python", "-m", "model_build", "champion", "--sha256", sha256, "--stack", stack]
        command += ["--name", name] if name else []
        say(f"Warning: the registry's alias champion was not moved ({error}). To move it, run:")
        say(f"  {shlex.join(command)}")
        return
    if champion["name"] is None:
        say(f"The live bundle {sha256[:12]} is not in the registry: champion was not moved.")
    else:
        say(f"champion: models:/{champion['name']}/{champion['version']}")
