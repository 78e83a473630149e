"""The command line of `scripts/local_aws`."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from scripts.emulator.base_image import base_image
from scripts.emulator.deployment import Deployment, build_all_images, build_image, deploy
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.logs import function_lines
from scripts.emulator.paths import run_folder
from scripts.emulator.tools import emulator_program, prepare
from scripts.shared.commands import run
from scripts.shared.containers import Podman, find_engine
from scripts.shared.paths import CONTAINERS, LOCAL_AWS_CACHE, ROOT
from scripts.shared.terminal import UserError, say, step

_QUESTION = "How do I merge two dictionaries in Python?"
_COMMANDS = {
    "prepare": "install missing system packages (as root on Debian)",
    "fetch": "download everything and build all images, which the first deployment otherwise does",
    "up": "start an empty AWS on this machine",
    "deploy": "deploy the stack to it with the CDK command line",
    "image": "build the image of the API function and print its name",
    "predict": "ask the deployed API for tags and print the response",
    "logs": "print the function's log",
    "down": "stop it and remove its files (with --purge also the downloads)",
}


def main() -> int:
    """Run the commands in the given order."""
    arguments = _parser().parse_args()
    try:
        for command in arguments.commands:
            _run(command, arguments)
    except UserError as error:
        say(f"local_aws: {error}")
        return 1
    return 0


def _run(command: str, arguments: argparse.Namespace) -> None:
    name = arguments.name
    if command == "prepare":
        prepare(arguments.engine)
    elif command == "fetch":
        _fetch(name, arguments.engine)
    elif command == "up":
        prepare(arguments.engine)
        running = LocalAws.running(name)
        if running:
            say(f"Local AWS already runs on {running.endpoint}")
        else:
            LocalAws.start(name, engine=arguments.engine)
    elif command == "deploy":
        deployment = deploy(_running(name), model=arguments.model)
        for name, value in deployment.outputs.items():
            say(f"  {name}: {value}")
    elif command == "image":
        prepare(arguments.engine)
        engine = find_engine(arguments.engine)
        with step("Building the image of the API function"):
            print(build_image(engine, base_image(engine), ROOT / "lambda_src" / "api", name))
    elif command == "predict":
        _predict(Deployment.read(_running(name)), arguments.text)
    elif command == "logs":
        print("\n".join(function_lines(Deployment.read(_running(name)))))
    else:
        _down(name, purge=arguments.purge)


def _fetch(name: str, wanted: str | None) -> None:
    prepare(wanted)
    engine = find_engine(wanted)
    emulator_program()
    with step("Installing the CDK command line"):
        run([ROOT / "scripts" / "cdk", "--version"])
    base = base_image(engine)
    with step("Building all images"):
        build_all_images(engine, base, name)


def _running(name: str) -> LocalAws:
    running = LocalAws.running(name)
    if running is None:
        raise UserError("Local AWS is not running. Start it with: scripts/local_aws up")
    return running


def _predict(deployment: Deployment, text: str) -> None:
    with step(f"Asking the deployed API: {text}"):
        answer = deployment.call("/predict", body={"text": text})
    if answer.status != 200:
        raise UserError(f"The API returned status {answer.status}: {answer.body.decode()}")
    print(json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False))


def _down(name: str, *, purge: bool) -> None:
    if not LocalAws.clean_up(name):
        say("Local AWS was not running")
    if not LOCAL_AWS_CACHE.exists():
        return
    if not purge:
        say(f"Downloads and images are kept in {LOCAL_AWS_CACHE} (remove them with: down --purge)")
        return
    others = [folder.name for folder in run_folder(name).parent.glob("*")]
    if others:
        raise UserError(
            f"Cannot purge while {', '.join(others)} is running. Stop it with: "
            "scripts/local_aws --name NAME down"
        )
    with step("Removing downloads and images"):
        if CONTAINERS.exists():
            Podman.forget_everything()
        shutil.rmtree(LOCAL_AWS_CACHE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/local_aws",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run AWS on this machine: an emulator, the real CDK command line, the real "
        "image.",
        epilog="commands (one call may contain several):\n"
        + "\n".join(f"  {name:8} {what}" for name, what in _COMMANDS.items())
        + "\n\nexample: scripts/local_aws up deploy predict",
    )
    parser.add_argument("commands", nargs="+", choices=_COMMANDS, metavar="command")
    parser.add_argument(
        "--name", default="local", help="the name of this local AWS, if you run several"
    )
    parser.add_argument(
        "--engine", choices=["docker", "podman"], help="the container engine, for up and prepare"
    )
    parser.add_argument("--model", type=Path, help="for deploy: the bundle (default: the starter)")
    parser.add_argument("--text", default=_QUESTION, help="for predict: the question")
    parser.add_argument("--purge", action="store_true", help="for down: also remove downloads")
    return parser


if __name__ == "__main__":
    sys.exit(main())
