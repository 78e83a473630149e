"""Versions of the registered model. Needs MLflow; see `mlflow_process`."""

import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from lambda_src.tagger.bundle import read_bundle
from lambda_src.tagger.rules import MAX_TAGS
from model_build.tracking import runs
from model_build.tracking.environment import ROOT
from model_build.tracking.runs import SHA256

CHAMPION: Final = "champion"
BUNDLE_FILE: Final = "bundle_file"
"""The tag of a model version with the name of the bundle file among the model's artifacts."""
_DESCRIPTION: Final = (
    "Suggests tags for a question. The bundle of a version is among its artifacts; the tag "
    "`bundle_sha256` identifies it. `champion` is live, `challenger` waits for the gate."
)
_RELEASE: Final = "release."
"""The tags of a model version that say where it was released begin with this."""
_SCHEME: Final = "models:/"
_FLAVOUR: Final = Path(__file__).with_name("pyfunc_flavour.py")
_REQUIREMENTS: Final = ("mlflow", "numpy", "selectolax")


def register(
    bundle: str, record: str | None, name: str, alias: str | None, report: str | None
) -> dict[str, Any]:
    """Make a bundle a version of a registered model; a bundle that is one already stays so.

    Parameters
    ----------
    bundle : str
        The bundle file.
    record, report : str or None
        See `runs.record_training`. The training is recorded if it is not yet.
    name : str
        The registered model.
    alias : str or None
        An alias to move to the version, such as ``challenger``.

    Returns
    -------
    dict
        ``name``, ``version``, ``run_id``, ``sha256``, and ``is_new``: whether the version is new.
    """
    read = read_bundle(bundle)
    recorded = runs.record_training(bundle, record, report)
    found = _versions_of(read.sha256, name)
    number = found[0].version if found else _create(Path(bundle), read.sha256, recorded, name)
    client = MlflowClient()
    client.set_model_version_tag(name, number, SHA256, read.sha256)
    client.set_model_version_tag(name, number, BUNDLE_FILE, Path(bundle).name)
    client.set_model_version_tag(name, number, "model_version", read.manifest["version"])
    note = client.get_run(recorded["run_id"]).data.tags.get(MLFLOW_RUN_NOTE, "")
    client.update_model_version(name, number, note)
    client.update_registered_model(name, _DESCRIPTION)
    if alias:
        client.set_registered_model_alias(name, alias, number)
    return {
        "name": name,
        "version": number,
        "run_id": recorded["run_id"],
        "sha256": read.sha256,
        "is_new": not found,
    }


def download(model: str, folder: str) -> dict[str, Any]:
    """Download the bundle of a model version. The model is never loaded, so its code never runs.

    Parameters
    ----------
    model : str
        ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.
    folder : str
        Where the file is written, in a folder that the digest names.

    Returns
    -------
    dict
        ``path`` (of the file), ``sha256`` (which the file must have, according to the registry),
        ``name`` and ``version``.
    """
    found = _find(model)
    tags = found.tags
    if SHA256 not in tags or BUNDLE_FILE not in tags:
        raise LookupError(
            f"{model} is version {found.version} of {found.name}, which was not registered with "
            "'python -m model_build register': it names no bundle. Register the bundle first."
        )
    uri = f"models:/{found.name}/{found.version}/artifacts/{tags[BUNDLE_FILE]}"
    place = Path(folder) / tags[SHA256][:12]
    path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(place))
    return {
        "path": path,
        "sha256": tags[SHA256],
        "name": found.name,
        "version": found.version,
    }


def follow_release(sha256: str, release: str, facts: str, name: str | None) -> dict[str, Any]:
    """Move the alias ``champion`` to the version whose bundle is live.

    Parameters
    ----------
    sha256 : str
        The digest of the live bundle.
    release : str
        Where it is live: the name of the stack.
    facts : str
        What the version's tag says about the release.
    name : str or None
        The registered model; by default the one whose version was released there before, or else
        the only one that has the bundle.

    Returns
    -------
    dict
        ``name`` and ``version`` of the champion; both None if the registry has no such version.
    """
    found = _versions_of(sha256, name)
    found = [each for each in found if f"{_RELEASE}{release}" in each.tags] or found
    if not found:
        return {"name": None, "version": None}
    names = {each.name for each in found}
    if len(names) > 1:
        raise LookupError(
            f"several registered models have the bundle {sha256[:12]}: {', '.join(sorted(names))}. "
            "Name one with --name."
        )
    newest = found[0]
    client = MlflowClient()
    client.set_model_version_tag(newest.name, newest.version, f"{_RELEASE}{release}", facts)
    client.set_registered_model_alias(newest.name, CHAMPION, newest.version)
    return {"name": newest.name, "version": newest.version}


def record_gate(decision: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Write the decision of the gate to the challenger's run and to its registered versions.

    Parameters
    ----------
    decision : mapping
        See `model_build.gate.decision`.
    path : str
        The file with the decision, which becomes an artifact of the run.

    Returns
    -------
    dict
        ``run_id``, and the ``versions`` that have the tag now: ``NAME/NUMBER``.
    """
    sha256 = decision["challenger"]["sha256"]
    run = runs.find_training(sha256)
    if run is None:
        raise LookupError(
            f"no run recorded the bundle {sha256[:12]}. Record it first: "
            "python -m model_build track --bundle FILE"
        )
    client = MlflowClient()
    tags = {
        "gate": decision["decision"],
        "gate_champion": decision["champion"]["version"],
        "gate_reasons": "; ".join(decision["reasons"])[:4_000] or "none",
    }
    for key, value in tags.items():
        client.set_tag(run.info.run_id, key, value)
    client.log_artifact(run.info.run_id, path)
    versions = _versions_of(sha256)
    for each in versions:
        for key, value in tags.items():
            client.set_model_version_tag(each.name, each.version, key, value)
    return {
        "run_id": run.info.run_id,
        "versions": [f"{each.name}/{each.version}" for each in versions],
    }


def _create(bundle: Path, sha256: str, recorded: Mapping[str, Any], name: str) -> str:
    client = MlflowClient()
    ended = client.get_run(recorded["run_id"]).info.end_time
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_id=recorded["run_id"]):
        logged = mlflow.pyfunc.log_model(
            name=name,
            python_model=str(_FLAVOUR),
            artifacts={"bundle": str(bundle.resolve())},
            code_paths=[str(_code(Path(folder)))],
            signature=_signature(),
            model_config={"sha256": sha256},
            pip_requirements=[f"{each}=={version(each)}" for each in _REQUIREMENTS],
            registered_model_name=name,
        )
    # Otherwise the run would seem to have lasted until now.
    client.set_terminated(recorded["run_id"], "FINISHED", end_time=ended)
    return str(logged.registered_model_version)


def _code(folder: Path) -> Path:
    """Copy the source of the tagger, which is all that the model needs of this repository."""
    package = folder / "lambda_src"
    package.mkdir()
    shutil.copy(ROOT / "lambda_src" / "__init__.py", package)
    # The kernel is compiled for one kind of machine, and answers are the same without it.
    no_kernel = shutil.ignore_patterns("*.so", "requirements.txt", "__pycache__")
    shutil.copytree(ROOT / "lambda_src" / "tagger", package / "tagger", ignore=no_kernel)
    return package


def _signature() -> ModelSignature:
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, name, required=False)
                for name in ("text", "title", "body", "body_format")
            ]
        ),
        outputs=Schema(
            [
                ColSpec(Array(DataType.string), "predicted_tags"),
                ColSpec(Array(DataType.double), "confidences"),
            ]
        ),
        params=ParamSchema(
            [
                ParamSpec("max_tags", DataType.integer, MAX_TAGS),
                ParamSpec("min_confidence", DataType.double, 0.0),
            ]
        ),
    )


def _find(model: str) -> ModelVersion:
    name, at, alias = model.removeprefix(_SCHEME).partition("@")
    client = MlflowClient()
    if at:
        return client.get_model_version_by_alias(name, alias)
    name, _, number = name.partition("/")
    if not number.isdigit():
        raise LookupError(f"{model} is neither models:/NAME@ALIAS nor models:/NAME/VERSION")
    return client.get_model_version(name, number)


def _versions_of(sha256: str, name: str | None = None) -> list[ModelVersion]:
    """Find the versions of a bundle, newest first, of all registered models or of one."""
    of_name = f" and name = '{name}'" if name else ""
    found = MlflowClient().search_model_versions(f"tags.{SHA256} = '{sha256}'{of_name}")
    return sorted(found, key=lambda each: -int(each.version))
