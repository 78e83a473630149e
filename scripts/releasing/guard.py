"""Refuse a deployment after a rollback; scripts/cdk runs this before `deploy`."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.releasing.errors import ReleaseError
from scripts.releasing.function import Function
from scripts.releasing.pinning import refuse_if_pinned
from scripts.releasing.target import Target, stack_name


def stacks_of(arguments: Sequence[str]) -> list[str]:
    """Return the names of the stacks that a command line of `cdk deploy` deploys.

    Parameters
    ----------
    arguments
        The arguments of `cdk`.

    Examples
    --------
    >>> stacks_of(["deploy", "-c", "environment=prod", "--context", "service=tags"])
    ['tags-prod']
    """
    context: dict[str, str] = {}
    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, separator, given = flag.partition("=")
        if not separator:
            given = value
        if name in {"-c", "--context"}:
            setting, _, chosen = given.partition("=")
            context[setting] = chosen
        if name in {"-a", "--app"}:
            return _synthesized(Path(given) / "manifest.json")
    return [stack_name(context.get("environment", "dev"), context)]


def _synthesized(manifest: Path) -> list[str]:
    """Return the names of the stacks in a synthesized folder."""
    if not manifest.is_file():
        return []
    artifacts: dict[str, Any] = json.loads(manifest.read_text())["artifacts"]
    kind = "aws:cloudformation:stack"
    return [name for name, each in artifacts.items() if each["type"] == kind]


def main() -> int:
    """Exit with status 1 to refuse; if AWS does not answer, let `cdk` report that itself."""
    if not os.environ.get("AWS_PROFILE"):
        os.environ.pop("AWS_PROFILE", None)  # boto3 fails on an empty name, which the CDK ignores
    try:
        for stack in stacks_of(sys.argv[1:]):
            target = Target(environment=stack, stack=stack)
            if "FunctionAlias" in (target.outputs() or {}):
                refuse_if_pinned(Function.of(target))
    except (BotoCoreError, ClientError):
        return 0
    except ReleaseError as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
