"""`scripts/cdk deploy`: synthesize, refuse to lose anything, show what changes, and deploy that."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.releasing.assembly import Assembly
from scripts.releasing.deployed_settings import kept
from scripts.releasing.errors import ReleaseError
from scripts.releasing.question import agree
from scripts.releasing.review import review
from scripts.releasing.target import NO_CREDENTIALS, Target, choose_profile, stack_name
from scripts.shared.paths import CDK, ROOT
from scripts.shared.terminal import UserError

_FOLDER: Final = ROOT / "cdk.out"


def main(arguments: Sequence[str]) -> int:
    """Run `cdk deploy` with these arguments and return its exit status, or 1 to refuse."""
    options, others = _parser().parse_known_args(arguments)
    choose_profile(options.profile)
    try:
        folder = _synthesized(options)
        if folder is None:
            return 1
        for stack, region in stacks_in(folder).items():
            target = Target(environment=stack.rpartition("-")[2], stack=stack, region=region)
            removed = review(target, Assembly(folder, stack))
            # Afterwards, the CDK itself asks only about permissions.
            if any(each.stands_out for each in removed):
                agree(f"Deploy {stack}?", yes=_agreed(others), otherwise="Nothing was deployed.")
    except NoCredentialsError:
        print(f"cdk: {NO_CREDENTIALS}", file=sys.stderr)
        return 1
    except (UserError, BotoCoreError, ClientError) as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    return subprocess.run([CDK, "--app", folder, *others], check=False).returncode


def stacks_in(folder: Path) -> dict[str, str | None]:
    """Return the names of the stacks in a synthesized folder, with the regions that they name."""
    artifacts: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {
        name: str(each.get("environment", "")).rpartition("/")[2]
        for name, each in artifacts.items()
        if each["type"] == "aws:cloudformation:stack"
    }
    return {
        name: None if region in {"", "unknown-region"} else region
        for name, region in stacks.items()
    }


def _synthesized(options: argparse.Namespace) -> Path | None:
    """Return the folder to deploy, or None if the CDK has reported why there is none."""
    context = dict(_setting(each) for each in options.context)
    if options.app and options.keep_settings:
        raise ReleaseError(
            f"The settings of {options.app} cannot be kept, but only those of the service's own "
            "app: use --keep-settings without --app."
        )
    if options.app and (Path(options.app) / "manifest.json").is_file():
        return Path(options.app)
    if options.keep_settings:
        environment = context.get("environment", "dev")
        target = Target(environment, stack_name(environment, context), context=context)
        context = {**kept(target, context), **context}
    command: list[str | Path] = [CDK, "synth", "--quiet", "--output", _FOLDER, *_options(context)]
    if options.app:
        command += ["--app", options.app]
    # The app fails early if this machine cannot build the images.
    environ = {**os.environ, "ETIQUETTE_CDK_BUILDS": "1"}
    failed = subprocess.run(command, env=environ, check=False).returncode
    return None if failed else _FOLDER


def _agreed(options: Sequence[str]) -> bool:
    """Return whether the options of `cdk deploy` say that nobody is to be asked."""
    return not {"-y", "--yes", "never", "--require-approval=never"}.isdisjoint(options)


def _setting(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not separator:
        raise ReleaseError(f"-c {given}: give a setting as NAME=VALUE.")
    return name, value


def _options(context: Mapping[str, str]) -> Iterable[str]:
    return (word for name, value in context.items() for word in ("-c", f"{name}={value}"))


def _parser() -> argparse.ArgumentParser:
    # The other options are those of `cdk deploy`, which explains them with --help.
    parser = argparse.ArgumentParser(prog="scripts/cdk", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("-a", "--app")
    parser.add_argument("--profile")
    parser.add_argument("--keep-settings", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
