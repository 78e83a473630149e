"""A real MLflow server, and a server of a registered model, as processes."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from model_build.tracking.environment import PYTHON
from tests.support.paths import ROOT
from tests.system.server import free_port

_SECONDS = 120


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """Run MLflow's server with a database and artifacts in `folder`, and give its address."""
    store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    artifacts = ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    with _running("server", [*store, *artifacts], folder / "server.log", "/health", {}) as url:
        yield url


@contextmanager
def model_server(model: str, uri: str, folder: Path) -> Iterator[str]:
    """Run `mlflow models serve` for a registered model, and give its address."""
    options = ["--model-uri", model, "--env-manager", "local"]
    variables = {"MLFLOW_TRACKING_URI": uri}
    log = folder / "models.log"
    with _running("models", ["serve", *options], log, "/ping", variables) as url:
        yield url


@contextmanager
def _running(
    command: str, options: Sequence[str], log: Path, path: str, variables: dict[str, str]
) -> Iterator[str]:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environment = (
        os.environ
        | variables
        | {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # MLflow starts uvicorn by its name.
            "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
        }
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PYTHON, "-m", "mlflow", command, *options, "--host", "127.0.0.1", "--port", port],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            # One group, so that the workers end with their parent.
            start_new_session=True,
        )
    try:
        _wait(process, url + path, log)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"MLflow did not answer in {_SECONDS} s: {log.read_text()}")
