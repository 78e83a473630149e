"""How long a function takes to start, under AWS's runtime interface emulator.

The function runs as a host process in a control group, with the processor share that Lambda gives
at a memory size. It reads its model from S3 (a server in this process). The emulator reports the
duration of the initialization in its log line INIT REPORT.
"""

import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, NamedTuple

from scripts.benchmarks.paths import CACHE
from scripts.shared.interface_emulator import interface_emulator
from scripts.shared.local_http import fetch
from scripts.shared.paths import ROOT

FULL_CORE_MB: Final = 1769
"""At this memory size Lambda gives one processor core, at others a proportional share."""

_RUNTIME: Final = ROOT / "scripts" / "emulator" / "base_image" / "requirements.txt"
_INIT: Final = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_GROUPS: Final = Path("/sys/fs/cgroup")
_PERIOD_US: Final = 20_000
_START_SECONDS: Final = 120


class Function(NamedTuple):
    """A Lambda function: its handler, environment variables and model file."""

    handler: str
    environment: Mapping[str, str]
    model: Path


def runtime_folder() -> Path:
    """Install Lambda's runtime client into its own folder: the service does not need it."""
    folder = CACHE / "runtime"
    stamp = folder / ".installed"
    wanted = _RUNTIME.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run(
            [ROOT / ".venv/bin/uv", "pip", "install", "--quiet", "--python", sys.executable,
             "--target", folder, "--compile-bytecode", "--require-hashes", "-r", _RUNTIME],
            check=True,
        )  # fmt: skip
        stamp.write_text(wanted, encoding="utf-8")
    return folder


def cold_starts(
    functions: Mapping[str, Function], sizes: Sequence[int], n_starts: int
) -> dict[int, dict[str, float]]:
    """Measure cold starts; the functions start in turn.

    Parameters
    ----------
    functions : mapping of str to Function
    sizes : sequence of int
        Memory sizes in MB.
    n_starts : int
        Starts of each function at each size, after one that is not counted.

    Returns
    -------
    dict
        The median start time in milliseconds, by memory size and function name.
    """
    medians = {}
    with _bucket([each.model for each in functions.values()]) as endpoint:
        for function in functions.values():  # warms the disk cache and writes bytecode
            _start(function, endpoint, FULL_CORE_MB)
        for size in sizes:
            taken: dict[str, list[float]] = {name: [] for name in functions}
            for _ in range(n_starts):
                for name, function in functions.items():
                    taken[name].append(_start(function, endpoint, size))
            medians[size] = {name: statistics.median(each) for name, each in taken.items()}
    return medians


def _start(function: Function, endpoint: str, memory_mb: int) -> float:
    runtime_api, interface = _free_port(), _free_port()
    with tempfile.TemporaryDirectory() as temporary, _processor_share(memory_mb) as joined:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": f"{ROOT}:{runtime_folder()}",
            "TMPDIR": temporary,  # empty, so that the model is downloaded again
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(_START_SECONDS),
            **function.environment,
        }
        log = Path(temporary) / "log"
        command = [
            *joined, interface_emulator(CACHE),
            "--runtime-interface-emulator-address", f"127.0.0.1:{interface}",
            "--runtime-api-address", f"127.0.0.1:{runtime_api}",
            sys.executable, "-m", "awslambdaric", function.handler,
        ]  # fmt: skip
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=environment, cwd=temporary, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        try:
            _invoke(interface)
            found = _INIT.search(log.read_text(errors="replace"))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(10)
        if found is None:
            raise RuntimeError(
                f"{function.handler} did not start. The end of its log:\n{log.read_text()[-2000:]}"
            )
        return float(found[1])


def _invoke(port: int) -> None:
    """Send a request, which makes the emulator start the function."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            fetch(
                f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations",
                body=b"{}",
                timeout=_START_SECONDS,
            )
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def limits_processor() -> bool:
    """Return whether this process can limit processor shares: only as root on Linux."""
    return os.geteuid() == 0 and _root_group() is not None


def _root_group() -> Path | None:
    for group in (_GROUPS / "cpu", _GROUPS):  # version 1, version 2
        if (group / "cgroup.procs").is_file() and os.access(group, os.W_OK):
            if group == _GROUPS:
                with contextlib.suppress(OSError):
                    (group / "cgroup.subtree_control").write_text("+cpu")
            return group
    return None


@contextlib.contextmanager
def _processor_share(memory_mb: int) -> Iterator[Sequence[str | Path]]:
    """Yield a command prefix that limits its command to memory_mb / 1769 of a core."""
    root = _root_group() if os.geteuid() == 0 else None
    if root is None:
        yield ()
        return
    group = root / f"etiquette-bench-{os.getpid()}"
    group.mkdir()
    quota = round(_PERIOD_US * memory_mb / FULL_CORE_MB)
    try:
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
            (group / "cpu.weight").write_text("1000")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
            (group / "cpu.shares").write_text("10240")
        yield "sh", "-c", 'echo $$ > "$0" && exec "$@"', group / "cgroup.procs"
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    for _ in range(50):  # its processes may still be ending
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


@contextlib.contextmanager
def _bucket(models: Sequence[Path]) -> Iterator[str]:
    """Serve the models as S3 does, under any bucket name."""
    contents = {model.name: model.read_bytes() for model in models}

    class Bucket(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = contents[self.path.partition("?")[0].rpartition("/")[2]]
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
