"""The service as it runs for its callers: a uvicorn server, and copies of the function's image.

Both answer on the loopback interface only.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from scripts.benchmarks.cold_starts import FULL_CORE_MB
from scripts.benchmarks.keep_alive import Connection
from scripts.benchmarks.request_mix import HttpRequest
from scripts.shared.containers import INSTANCE_LABEL, Engine
from scripts.shared.local_http import fetch
from scripts.shared.paths import ROOT
from tests.support.api_gateway import gateway_event

STARTER: Final = ROOT / "model_build" / "starter" / "starter.safetensors"
DEPLOYED_MB: Final = 1024
"""The default memory size of the function in the stack."""
_PERIOD_US: Final = 20_000
_READY_SECONDS: Final = 120
_INVOCATIONS: Final = "/2015-03-31/functions/function/invocations"
# As in Lambda, the file system is read-only except for /tmp.
_LIMITS: Final = (
    *("--read-only", "--tmpfs", "/tmp:rw,size=512m,mode=1777"),  # noqa: S108 (of the container)
    *("--memory", f"{DEPLOYED_MB}m", "--cpu-period", str(_PERIOD_US)),
    *("--cpu-quota", str(round(_PERIOD_US * DEPLOYED_MB / FULL_CORE_MB))),
)
_READ_PROC: Final = """
import os
import pathlib
for each in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        command = (each / "cmdline").read_bytes()
        if b"awslambdaric" in command and int(each.name) != os.getpid():
            pages = (each / "statm").read_text().split()[1]
            files = len(list((each / "fd").iterdir()))
            ticks = (each / "stat").read_text().rpartition(")")[2].split()[11:13]
            print(pages, files, *ticks)
    except OSError:
        pass
"""


class Resources(NamedTuple):
    """What a process holds."""

    memory_mb: float
    """Resident memory."""
    open_files: int
    """File handles, connections included."""
    processor_seconds: float
    """What it has used of the processor since its start."""

    @classmethod
    def of(cls, pages: str, open_files: str, *ticks: str) -> "Resources":
        """Convert the numbers of /proc."""
        size = int(pages) * os.sysconf("SC_PAGESIZE")
        used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return cls(size / 1e6, int(open_files), used)


class Service(ABC):
    """A running service."""

    host: str
    """The address and the port on which it answers."""

    @abstractmethod
    async def send(self, connection: Connection, request: HttpRequest) -> tuple[int, bytes]:
        """Send a request; return the status and the body of the service's answer."""

    @abstractmethod
    def resources(self) -> Resources:
        """Return what the process that answers holds. Only Linux tells it."""


class Server(Service):
    """A uvicorn process, started as `scripts/quickstart` starts it."""

    def __init__(self, process: subprocess.Popen[bytes], host: str) -> None:
        self.host = host
        self._process = process

    def signal(self, number: int) -> None:
        """Send the process a signal, such as one that stops it for a while."""
        self._process.send_signal(number)

    async def send(self, connection: Connection, request: HttpRequest) -> tuple[int, bytes]:
        """Send a request as it is."""
        return await connection.exchange(
            request.method, request.path, request.body, request.headers
        )

    def resources(self) -> Resources:
        """Read them from /proc."""
        process = Path("/proc") / str(self._process.pid)
        pages = (process / "statm").read_text().split()[1]
        ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        return Resources.of(pages, str(len(list((process / "fd").iterdir()))), *ticks)


@contextmanager
def server(log: Path, **settings: str) -> Iterator[Server]:
    """Run a server until the end of the block.

    Parameters
    ----------
    log : Path
        Where the server writes its log lines.
    **settings
        Environment variables in addition to those of `scripts/quickstart`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "uvicorn", "lambda_src.api.app:app", "--no-access-log"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    variables = {"ETIQUETTE_MODEL": str(STARTER), "ETIQUETTE_PROMETHEUS": "true", **settings}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | variables, stdout=output, stderr=output
        )
    try:
        _wait_for_health(process, f"http://127.0.0.1:{port}/health", log)
        yield Server(process, f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def _wait_for_health(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            if fetch(url).status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(
        f"The server does not answer. The end of its log:\n{log.read_text()[-2000:]}"
    )


class Copy(Service):
    """A container of the function's image, with AWS's runtime interface emulator.

    Like a copy of the function in Lambda, it answers one request at a time.
    """

    def __init__(self, engine: Engine, identifier: str) -> None:
        self._engine, self._identifier = engine, identifier
        self.host = engine.call("port", identifier, "8080/tcp").splitlines()[0]

    async def send(self, connection: Connection, request: HttpRequest) -> tuple[int, bytes]:
        """Invoke the function with API Gateway's event for a request."""
        status, answer = await connection.exchange("POST", _INVOCATIONS, invocation(request), {})
        if status != 200:
            return status, answer
        content = json.loads(answer)
        body = content["body"].encode()
        is_encoded = content["isBase64Encoded"]
        return content["statusCode"], base64.b64decode(body) if is_encoded else body

    def resources(self) -> Resources:
        """Ask in the container, so that it works with every engine."""
        found = self._engine.call("exec", self._identifier, "python3", "-c", _READ_PROC)
        return Resources.of(*found.split())

    def wait(self) -> None:
        """Wait until it answers. Its first request starts the function."""
        event = gateway_event("GET", "/health")
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                answer = fetch(f"http://{self.host}{_INVOCATIONS}", body=json.dumps(event).encode())
                if answer.status == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                log = self._engine.call("logs", self._identifier, with_errors=True)
                raise RuntimeError(f"The image does not answer. The end of its log:\n{log[-2000:]}")
            time.sleep(0.1)


def invocation(request: HttpRequest) -> bytes:
    """Return API Gateway's event for a request, as JSON."""
    body = request.body.decode() if request.body else None
    route = f"{request.method} {request.path}"
    with_own_throttle = request.path in ("/predict/batch", "/feedback")
    event = gateway_event(
        request.method,
        request.path,
        body,
        headers=dict(request.headers),
        route=route if with_own_throttle else "$default",
    )
    return json.dumps(event).encode()


@contextmanager
def copies(engine: Engine, image: str, count: int) -> Iterator[list[Copy]]:
    """Run copies of the function until the end of the block, each with its share of a processor.

    Parameters
    ----------
    engine
        The container engine that holds the image.
    image
        The name of the image.
    count
        How many copies.
    """
    network = f"etiquette-bench-{uuid4()}"
    label = f"{INSTANCE_LABEL}={network}"
    command = [
        *("run", "--detach", "--label", label, "--network", network),
        *("--publish", "127.0.0.1::8080", *_LIMITS),
        *("--volume", f"{STARTER.parent}:/opt/model:ro"),
        *("--env", f"ETIQUETTE_MODEL=/opt/model/{STARTER.name}", image),
    ]
    engine.create_network(network)
    try:
        running = [Copy(engine, engine.call(*command)) for _ in range(count)]
        for each in running:
            each.wait()
        yield running
    finally:
        engine.remove_containers(label)
        engine.remove_network(network)
