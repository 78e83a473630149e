"""Call MLflow: start `model_build.tracking.mlflow_process` in the environment that has MLflow.

This module needs only the standard library, so that `scripts/releasing` can use it too.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from model_build.errors import UserError

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = ROOT / ".cache" / "tracking" / "venv" / "bin" / "python"
"""The interpreter of the environment of `scripts/setup tracking`."""
DEFAULT_STORE: Final = ROOT / "tracking" / "mlflow.db"
"""The SQLite database of runs and models, if no other tracking server is named."""
URI_VARIABLE: Final = "MLFLOW_TRACKING_URI"
MODEL_NAME: Final = "etiquette"
"""The default name of the registered model."""

_QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Without these, a server that is away is asked for several minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}
_SQLITE: Final = "sqlite:///"
_TIMEOUT: Final = 1_800
"""Seconds. A large bundle takes long over a slow connection, but not for ever."""
_PREFIX: Final = "error: "


class TrackingError(UserError):
    """MLflow is not installed, cannot be reached, or refuses; the message says what to do."""


def tracking_uri(given: str | None = None) -> str:
    """Return the tracking server: the given one, MLFLOW_TRACKING_URI, or the local database."""
    return given or os.environ.get(URI_VARIABLE) or f"sqlite:///{DEFAULT_STORE}"


def require_environment() -> None:
    """Raise an error if MLflow is not installed.

    Raises
    ------
    TrackingError
        The environment does not exist.
    """
    if not PYTHON.exists():
        raise TrackingError("MLflow is not installed. Install it with: scripts/setup tracking")


def call(operation: str, uri: str, **arguments: Any) -> Any:
    """Run one operation of `model_build.tracking.mlflow_process` and return its result.

    Parameters
    ----------
    operation : str
        The name of the operation.
    uri : str
        The tracking server, see `tracking_uri`.
    **arguments
        The operation's arguments, of types that JSON has, and paths.

    Raises
    ------
    TrackingError
        MLflow is not installed, or the operation failed.
    """
    require_environment()
    if uri.startswith(_SQLITE):
        Path(uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    request = {"operation": operation, "uri": uri, "arguments": arguments}
    try:
        done = subprocess.run(
            [PYTHON, "-m", "model_build.tracking.mlflow_process"],
            input=json.dumps(request, default=str),
            # The user's variables come last, so that they override ours.
            env={**_QUIET, **os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TrackingError(
            f"The tracking server {uri} did not finish '{operation}' within {_TIMEOUT} s."
        ) from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = next((line for line in lines if line.startswith(_PREFIX)), lines[-1])
        raise TrackingError(f"Tracking server {uri}: {reason.removeprefix(_PREFIX)}")
    return json.loads(done.stdout)
