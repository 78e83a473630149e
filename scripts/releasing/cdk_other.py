"""The commands of `scripts/cdk` other than `deploy` that change something in an account.

The CDK itself asks before some of them, but does not say in which account. scripts/cdk lists them.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.releasing.account import Account
from scripts.releasing.errors import ReleaseError
from scripts.releasing.target import NO_CREDENTIALS, Target, choose_profile, stack_name
from scripts.shared.paths import CDK
from scripts.shared.terminal import UserError, say

_WATCH: Final = (
    "cdk watch deploys whenever a file changes, without the checks of a deployment, so that a "
    "setting that was not given again would be lost. Use scripts/release or scripts/cdk deploy."
)


def main(arguments: Sequence[str]) -> int:
    """Show the account, or refuse it, then run the CDK's command and return its exit status."""
    options, others = _parser().parse_known_args(arguments)
    choose_profile(options.profile)
    context = dict(each.partition("=")[::2] for each in options.context)
    environment = context.get("environment", "dev")
    target = Target(environment, stack_name(environment, context), context=context)
    try:
        if "watch" in others:
            raise ReleaseError(_WATCH)
        # Without a name, `bootstrap`, `gc` and other apps are not for one environment.
        account = Account.of(target) if "environment" not in context else Account.expected(target)
        # Another app may be in a region of its own, and `aws://` names one.
        elsewhere = options.app or any(each.startswith("aws://") for each in others)
        say(f"cdk {' '.join(others)}: in {account.name if elsewhere else account}")
    except NoCredentialsError:
        print(f"cdk: {NO_CREDENTIALS}", file=sys.stderr)
        return 1
    except (UserError, BotoCoreError, ClientError) as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    return subprocess.run([CDK, *arguments], check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/cdk", add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("-a", "--app")
    parser.add_argument("--profile")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
