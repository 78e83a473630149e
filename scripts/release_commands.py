"""The command lines of the scripts about releases, from scripts/release to scripts/sign_model."""

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.emulator.local_aws import LocalAws
from scripts.emulator.release_target import ReleaseTarget
from scripts.releasing import kill_switch
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.listing import listing
from scripts.releasing.registered_models import SCHEME, RegisteredModel, move_champion
from scripts.releasing.release import release
from scripts.releasing.rollback import roll_back
from scripts.releasing.signing import ModelSigner
from scripts.releasing.target import NO_CREDENTIALS, Target, stack_name
from scripts.shared.terminal import UserError


def main() -> int:
    """Run one command; an error that the user can fix is one line on standard error."""
    parser = _parser()
    options = parser.parse_args()
    _refuse_missing_model(parser, options)
    try:
        target = _target(options)
        if options.command == "release":
            registered = None
            if options.model and options.model.startswith(SCHEME):
                registered = RegisteredModel.download(options.model)
            model = registered.path if registered else options.model and Path(options.model)
            if options.sign_with and model:
                ModelSigner(target.client("kms"), options.sign_with).sign(model)
            release(
                target,
                model,
                report=options.report,
                keep_settings=options.keep_settings,
                yes=options.yes,
                confirm_rollback=options.confirm_rollback,
            )
            move_champion(Function.of(target), registered.name if registered else None)
        elif options.command == "rollback":
            function = Function.of(target)
            roll_back(function, options.to, yes=options.yes)
            move_champion(function)
        elif options.command == "sign_model":
            signer = ModelSigner(target.client("kms"), options.key)
            if options.public_key:
                print(signer.public_key())
            else:
                print(f"signed: {signer.sign(options.model)}")
        elif options.command == "kill_switch":
            change = kill_switch.stop if options.action == "stop" else kill_switch.start
            change(Function.of(target), yes=options.yes)
        else:
            print(listing(Function.of(target)))
    except NoCredentialsError:
        print(f"{options.command}: {NO_CREDENTIALS}", file=sys.stderr)
        return 1
    except (UserError, BotoCoreError, ClientError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _refuse_missing_model(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit with the usage where a signature is asked for, but no model is given."""
    if options.command == "release" and options.sign_with and not options.model:
        parser.error("--sign-with needs --model: name the bundle that is to be signed")
    if options.command == "sign_model" and bool(options.model) == options.public_key:
        parser.error("give either the model to sign, or --public-key")


def _target(options: argparse.Namespace) -> Target:
    context = dict(_setting(each) for each in options.context)
    stack = stack_name(options.environment, context)
    if options.environment != "emulator":
        return Target(options.environment, stack, context=context)
    aws = LocalAws.running(options.emulator)
    if aws is None:
        raise ReleaseError(
            "The emulator is not running. Start it with: "
            f"scripts/local_aws --name {options.emulator} up"
        )
    return Target(options.environment, stack, ReleaseTarget(aws), context)


def _setting(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not separator:
        raise ReleaseError(f"-c {given}: give a setting as NAME=VALUE.")
    if name in {"model", "report", "environment"}:
        raise ReleaseError(f"-c {given}: use the option --{name} instead.")
    return name, value


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--environment",
        default="dev",
        choices=["dev", "prod", "emulator"],
        help="where the stack is deployed (default: dev)",
    )
    shared.add_argument(
        "-c",
        dest="context",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of infra_cdk/settings.py, or NAME=default to drop it; service=NAME selects "
        "the stack of that service",
    )
    shared.add_argument(
        "--emulator",
        default="local",
        metavar="NAME",
        help="the name of the local AWS, with --environment emulator (default: local)",
    )
    parser = argparse.ArgumentParser(prog="scripts")
    commands = parser.add_subparsers(required=True, dest="command")
    forward = commands.add_parser("release", parents=[shared], prog="scripts/release")
    forward.add_argument(
        "--model",
        help="the bundle to release: a file, or models:/NAME@ALIAS of MLflow's registry (default: "
        "the live one with --keep-settings, or the starter)",
    )
    forward.add_argument("--report", type=Path, help="the JSON report of 'model_build evaluate'")
    forward.add_argument(
        "--keep-settings",
        action="store_true",
        help="deploy with the live settings, except for those that are given",
    )
    forward.add_argument(
        "--sign-with",
        metavar="KEY",
        help="first sign the bundle with this key of KMS, as scripts/sign_model does",
    )
    forward.add_argument("--yes", action="store_true", help="deploy without asking")
    forward.add_argument(
        "--confirm-rollback",
        action="store_true",
        help="deploy although a rollback has pinned the alias live",
    )
    back = commands.add_parser("rollback", parents=[shared], prog="scripts/rollback")
    back.add_argument(
        "--to", type=int, metavar="VERSION", help="default: the version before the live one"
    )
    back.add_argument("--yes", action="store_true", help="move live without asking")
    switch = commands.add_parser("kill_switch", parents=[shared], prog="scripts/kill_switch")
    switch.add_argument("action", choices=["stop", "start"])
    switch.add_argument("--yes", action="store_true", help="do not ask")
    sign = commands.add_parser("sign_model", parents=[shared], prog="scripts/sign_model")
    sign.add_argument("model", nargs="?", type=Path, help="the bundle to sign")
    sign.add_argument(
        "--key", required=True, help="the key in KMS: its ID, ARN or alias (alias/NAME)"
    )
    sign.add_argument(
        "--public-key", action="store_true", help="print the public key for -c signing_key="
    )
    commands.add_parser("releases", parents=[shared], prog="scripts/releases")
    return parser


if __name__ == "__main__":
    sys.exit(main())
