"""The command lines of scripts/release, scripts/rollback and scripts/releases."""

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.emulator.console import LocalAwsError
from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.listing import listing
from scripts.releasing.release import release
from scripts.releasing.rollback import roll_back
from scripts.releasing.target import Target


def main() -> int:
    """Run one command; errors that a person can mend are one line on standard error."""
    options = _parser().parse_args()
    try:
        context = dict(_setting(each) for each in options.context)
        target = Target.find(options.environment, emulator=options.emulator, context=context)
        if options.command == "release":
            release(
                target,
                options.model,
                report=options.report,
                yes=options.yes,
                confirm_rollback=options.confirm_rollback,
            )
        elif options.command == "rollback":
            roll_back(Function.of(target), options.to)
        else:
            print(listing(Function.of(target)))
    except NoCredentialsError:
        print(
            f"{options.command}: no credentials of an AWS account were found: sign in with "
            "'aws sso login' or 'aws configure', and name the profile in AWS_PROFILE if it is not "
            "the default one",
            file=sys.stderr,
        )
        return 1
    except (ReleaseError, LocalAwsError, BotoCoreError, ClientError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _setting(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not separator or name in {"model", "report", "environment"}:
        raise ReleaseError(f"-c {given}: give a setting as NAME=VALUE; model and report by --")
    return name, value


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--environment", default="dev", choices=["dev", "prod", "emulator"])
    shared.add_argument(
        "-c", dest="context", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of infra_cdk/settings.py; service=NAME says whose stack",
    )  # fmt: skip
    shared.add_argument(
        "--emulator", default="local", metavar="NAME", help="which, with --environment emulator"
    )
    parser = argparse.ArgumentParser(prog="scripts")
    commands = parser.add_subparsers(required=True, dest="command")
    going_on = commands.add_parser("release", parents=[shared], prog="scripts/release")
    going_on.add_argument("--model", type=Path, required=True, help="the bundle")
    going_on.add_argument("--report", type=Path, help="what evaluate said of it, JSON")
    going_on.add_argument("--yes", action="store_true", help="deploy without asking")
    going_on.add_argument(
        "--confirm-rollback", action="store_true", help="move live on from where it is pinned"
    )
    back = commands.add_parser("rollback", parents=[shared], prog="scripts/rollback")
    back.add_argument("--to", type=int, metavar="VERSION", help="by default the one before live")
    commands.add_parser("releases", parents=[shared], prog="scripts/releases")
    return parser


if __name__ == "__main__":
    sys.exit(main())
