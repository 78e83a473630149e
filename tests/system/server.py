"""A uvicorn process with the starter model, and its log."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.support.paths import ROOT, STARTER

SECRET = "zanzibar"
"""A word of the tests' questions that no log line may contain."""


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """A running server; its log is in `folder`. `settings` are further environment variables."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.health_report = folder / "latest.json"
        """The monitor's newest report, which there is none of at first."""
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = folder / "server.log"
        command = [
            *(sys.executable, "-m", "uvicorn", "lambda_src.api.app:app", "--no-access-log"),
            *("--host", "127.0.0.1", "--port", self.url.rpartition(":")[2]),
        ]
        environment = os.environ | {
            "ETIQUETTE_MODEL": str(STARTER),
            "ETIQUETTE_HEALTH_REPORT": str(self.health_report),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.client = httpx2.Client(base_url=self.url, timeout=10)
        self._wait()

    def _wait(self) -> None:
        for _ in range(300):
            assert self._process.poll() is None, self._log.read_text()
            try:
                self.client.get("/health")
            except httpx2.ConnectError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"the server does not answer: {self._log.read_text()}")

    def logged(self) -> int:
        """Return the current size of the log, in bytes."""
        return self._log.stat().st_size

    def lines(self, start: int) -> list[dict[str, Any]]:
        """Return the log lines after the first `start` bytes."""
        text = self._log.read_bytes()[start:].decode()
        assert SECRET not in text
        return [json.loads(line) for line in text.splitlines()]

    def post(self, body: Any, **headers: str) -> tuple[httpx2.Response, list[dict[str, Any]]]:
        """Post to /predict; return the answer and the log lines of this request."""
        start = self.logged()
        response = self.client.post("/predict", json=body, headers=headers)
        return response, self.lines(start)

    def stop(self) -> None:
        """Stop the process."""
        self.client.close()
        self._process.terminate()
        self._process.wait(10)
