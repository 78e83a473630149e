"""The only process that imports MLflow: one operation per call, JSON in and JSON out.

Standard input holds ``{"operation", "uri", "arguments"}``; standard output gets the result. A
failure is one line on standard error that begins with "error: ", and exit code 2.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from lambda_src.tagger import BundleError
from model_build.tracking import registry, runs

OPERATIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "record_training": runs.record_training,
    "record_comparison": runs.record_comparison,
    "record_gate": registry.record_gate,
    "register": registry.register,
    "download": registry.download,
    "follow_release": registry.follow_release,
}

_LOST_CONNECTION: Final = (
    *("Max retries exceeded", "Connection refused", "Connection aborted", "Connection broken"),
)
"""Words of MLflow's messages if the server is away, or dies within an answer."""


def main() -> int:
    """Run the operation that standard input asks for."""
    request = json.load(sys.stdin)
    mlflow.set_tracking_uri(request["uri"])
    try:
        # MLflow prints progress and links to runs.
        with contextlib.redirect_stdout(sys.stderr):
            result = OPERATIONS[request["operation"]](**request["arguments"])
    except (MlflowException, SQLAlchemyError, BundleError, OSError, LookupError) as error:
        print(f"error: {_reason(error)}", file=sys.stderr)
        return 2
    json.dump(result, sys.stdout)
    return 0


def _reason(error: Exception) -> str:
    """Shorten an error to one line; MLflow puts the reason of a lost connection at the end."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if any(words in lines[0] for words in _LOST_CONNECTION):
        return "the server cannot be reached"
    return lines[0]


if __name__ == "__main__":
    sys.exit(main())
