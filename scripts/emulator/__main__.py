"""The command line of `scripts/local_aws`."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from scripts.emulator.console import LocalAwsError, say, step
from scripts.emulator.deployment import Deployment, deploy
from scripts.emulator.engine import Podman
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.logs import function_lines
from scripts.emulator.places import CACHE, CONTAINERS, run_folder
from scripts.emulator.tools import prepare

_QUESTION = "How do I merge two dictionaries in Python?"
_COMMANDS = {
    "prepare": "install the system packages that are missing (Debian, root)",
    "up": "start an empty AWS on this machine",
    "deploy": "deploy the stack to it with the CDK command line",
    "predict": "ask the deployed API for tags and print its answer",
    "logs": "print what the function wrote",
    "down": "stop it and leave nothing behind (with --purge no download either)",
}


def main() -> int:
    """Run the commands in the order in which they were given."""
    arguments = _parser().parse_args()
    try:
        for command in arguments.commands:
            _run(command, arguments)
    except LocalAwsError as error:
        say(f"local_aws: {error}")
        return 1
    return 0


def _run(command: str, arguments: argparse.Namespace) -> None:
    name = arguments.name
    if command == "prepare":
        prepare(arguments.engine)
    elif command == "up":
        prepare(arguments.engine)
        running = LocalAws.running(name)
        if running:
            say(f"AWS answers on {running.endpoint} already")
        else:
            LocalAws.start(name, engine=arguments.engine)
    elif command == "deploy":
        deployment = deploy(_running(name), model=arguments.model)
        for name, value in deployment.outputs.items():
            say(f"  {name}: {value}")
    elif command == "predict":
        _predict(Deployment.read(_running(name)), arguments.text)
    elif command == "logs":
        print("\n".join(function_lines(Deployment.read(_running(name)))))
    else:
        _down(name, purge=arguments.purge)


def _running(name: str) -> LocalAws:
    running = LocalAws.running(name)
    if running is None:
        raise LocalAwsError("no AWS is running here: run scripts/local_aws up")
    return running


def _predict(deployment: Deployment, text: str) -> None:
    with step(f"Asking the deployed API: {text}"):
        answer = deployment.call("/predict", body={"text": text})
    if answer.status != 200:
        raise LocalAwsError(f"the API answered {answer.status}: {answer.body.decode()}")
    print(json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False))


def _down(name: str, *, purge: bool) -> None:
    if not LocalAws.clean_up(name):
        say("No AWS was running here")
    if not CACHE.exists():
        return
    if not purge:
        say(f"Kept for the next time: downloads and images in {CACHE} (down --purge removes them)")
        return
    others = [folder.name for folder in run_folder(name).parent.glob("*")]
    if others:
        raise LocalAwsError(f"not purged: stop {', '.join(others)} first (--name NAME down)")
    with step("Removing downloads and images"):
        if CONTAINERS.exists():
            Podman.forget_everything()
        shutil.rmtree(CACHE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/local_aws",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="AWS on this machine: an emulator, the real CDK command line, the real image.",
        epilog="commands, any number of them in one call:\n"
        + "\n".join(f"  {name:8} {what}" for name, what in _COMMANDS.items())
        + "\n\nexample: scripts/local_aws up deploy predict",
    )
    parser.add_argument("commands", nargs="+", choices=_COMMANDS, metavar="command")
    parser.add_argument("--name", default="local", help="to have several side by side")
    parser.add_argument("--engine", choices=["docker", "podman"], help="for up and prepare")
    parser.add_argument("--model", type=Path, help="for deploy: a bundle instead of the starter")
    parser.add_argument("--text", default=_QUESTION, help="for predict: the question")
    parser.add_argument("--purge", action="store_true", help="for down: remove downloads, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
