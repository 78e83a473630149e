"""The commands that record and register models.

They are ``track``, ``register`` and ``champion``, and the option ``train --track``.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from model_build.commands.arguments import Commands
from model_build.tracking.environment import MODEL_NAME, TrackingError, call, tracking_uri
from model_build.tracking.record_files import record_folder

_SERVER: Final = (
    "the MLflow tracking server: http://..., or sqlite:///FILE (default: the environment variable "
    "MLFLOW_TRACKING_URI, or a database in the folder tracking/ of this checkout)"
)


def add_track_option(command: argparse.ArgumentParser) -> None:
    """Declare the option ``--track [URI]``."""
    command.add_argument(
        "--track",
        nargs="?",
        const=tracking_uri(),
        metavar="URI",
        help=f"also record it on {_SERVER}",
    )


def add_command(commands: Commands) -> None:
    """Declare ``track``, ``register`` and ``champion``."""
    track = commands.add_parser("track", help="record a training with MLflow, after it has ended")
    _add_bundle(track)
    track.set_defaults(run=_track)

    register = commands.add_parser(
        "register", help="make a bundle a version of a model in MLflow's registry"
    )
    _add_bundle(register)
    register.add_argument(
        "--name", default=MODEL_NAME, help="the registered model (default: %(default)s)"
    )
    register.add_argument(
        "--alias",
        help="an alias to move to the version, such as challenger",
    )
    register.set_defaults(run=_register)

    champion = commands.add_parser(
        "champion",
        help="move the registry's alias champion to the bundle that is live; scripts/release and "
        "scripts/rollback do it by themselves",
    )
    champion.add_argument("--sha256", required=True, help="the digest of the live bundle")
    champion.add_argument(
        "--stack", required=True, help="the stack where it is live, such as etiquette-prod"
    )
    champion.add_argument("--name", help="the registered model, if several have this bundle")
    champion.add_argument("--uri", default=tracking_uri(), metavar="URI", help=_SERVER)
    champion.set_defaults(run=_champion)


def record_or_warn(bundle: Path, uri: str) -> None:
    """Record a training that has just ended. If that fails, say how to do it later."""
    try:
        _say_recorded(_record(bundle, uri, None), uri)
    except TrackingError as error:
        print(
            f"warning: {error}\n"
            f"The model is complete: {bundle}. Its run was not recorded. To record it later:\n"
            f"  python -m model_build track --bundle {bundle} --uri {uri}",
            file=sys.stderr,
        )


def _add_bundle(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--bundle", required=True, type=Path, metavar="MODEL.safetensors", help="the bundle"
    )
    command.add_argument(
        "--report",
        type=Path,
        metavar="REPORT.json",
        help="also record this report of 'python -m model_build evaluate'",
    )
    command.add_argument("--uri", default=tracking_uri(), metavar="URI", help=_SERVER)


def _track(options: argparse.Namespace) -> None:
    _say_recorded(_record(options.bundle, options.uri, options.report), options.uri)


def _register(options: argparse.Namespace) -> None:
    done = call(
        "register",
        options.uri,
        **_paths(options.bundle, options.report),
        name=options.name,
        alias=options.alias,
    )
    state = "registered" if done["is_new"] else "was registered before"
    print(f"{options.bundle}: {state} as models:/{done['name']}/{done['version']}")
    if options.alias:
        print(f"models:/{done['name']}@{options.alias} is version {done['version']}")


def _champion(options: argparse.Namespace) -> None:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    champion = call(
        "follow_release",
        options.uri,
        sha256=options.sha256,
        release=options.stack,
        facts=f"live, recorded by hand at {moment}",
        name=options.name,
    )
    if champion["name"] is None:
        raise TrackingError(
            f"No registered model has the bundle {options.sha256}. Register it with "
            "'python -m model_build register'."
        )
    print(f"models:/{champion['name']}@champion is version {champion['version']}")


def _record(bundle: Path, uri: str, report: Path | None) -> dict[str, Any]:
    recorded: dict[str, Any] = call("record_training", uri, **_paths(bundle, report))
    return recorded


def _paths(bundle: Path, report: Path | None) -> dict[str, Any]:
    folder = record_folder(bundle)
    return {
        "bundle": bundle.resolve(),
        "record": folder.resolve() if folder.is_dir() else None,
        "report": report and report.resolve(),
    }


def _say_recorded(recorded: dict[str, Any], uri: str) -> None:
    state = "recorded" if recorded["is_new"] else "was recorded before"
    print(f"run {recorded['run_name']} ({recorded['run_id']}) {state} on {uri}")
