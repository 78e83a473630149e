"""From questions to a released model: collect, train, evaluate, track, compare, gate and score."""

import argparse
import sys
from collections.abc import Sequence

from lambda_src.tagger import BundleError, KernelError, RankerChoiceError
from model_build.commands import (
    audit,
    collect,
    compare,
    evaluate,
    gate,
    inspect_corpus,
    retrain,
    score,
    split,
    tracking,
    train,
)
from model_build.errors import UserError

_COMMANDS = (
    collect,
    inspect_corpus,
    train,
    evaluate,
    split,
    audit,
    retrain,
    tracking,
    score,
    gate,
    compare,
)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code.

    An error that the user can fix is one line on standard error, and exit code 2, as for a wrong
    command line. Only `gate` has further exit codes.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int | None = options.run(options)
    except (UserError, BundleError, KernelError, RankerChoiceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_build", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        module.add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
