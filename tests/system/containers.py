"""A container of the function alone, with AWS's runtime interface emulator."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from scripts.emulator.local_aws import FUNCTION_FLAGS, LocalAws
from scripts.shared.containers import INSTANCE_LABEL
from scripts.shared.local_http import Answer, fetch

_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_LABEL = f"{INSTANCE_LABEL}=container-under-test"
"""Followed by a unique number, because several may run at once."""


class RunningFunction:
    """A container that accepts invocations."""

    def __init__(self, aws: LocalAws, identifier: str) -> None:
        self._aws = aws
        self._identifier = identifier
        self._url = f"http://{self._address()}{_INVOCATIONS}"

    def invoke(self, event: dict[str, Any]) -> Answer:
        """Invoke the function with an event and return the response."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return fetch(self._url, body=json.dumps(event).encode(), timeout=90)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def log(self) -> bytes:
        """The log as Lambda would write it: the function's lines and Lambda's own."""
        return self._aws.engine.call("logs", self._identifier).encode()

    def starve(self, millicores: int) -> None:
        """Limit the running function to a share of a core, in thousandths (1 to 1,000).

        The function runs for one millisecond, the shortest time that Linux allows, and then waits.
        So even a part of a request that needs few milliseconds becomes slow.
        """
        limit = ["--cpu-period", str(1_000_000 // millicores), "--cpu-quota", "1000"]
        self._aws.engine.call("update", *limit, self._identifier)

    def limit_memory(self, size: str) -> None:
        """Change the memory limit of the running container, such as to ``32m``."""
        self._aws.engine.call("update", "--memory", size, self._identifier)

    def signal(self, name: str) -> None:
        """Send a signal, such as ``KILL``, to the function's process, but not to Lambda's own."""
        self.run(
            "for each in /proc/[0-9]*; do "
            "tr '\\0' ' ' < $each/cmdline | grep -q '^[^ ]*python3 -m awslambdaric' && "
            f"kill -{name} ${{each#/proc/}}; done; true"
        )

    def run(self, script: str) -> str:
        """Run a shell script in the container and return its output."""
        return self._aws.engine.call("exec", self._identifier, "sh", "-c", script)

    def output(self) -> str:
        """The container's standard output and standard error."""
        return self._aws.engine.call("logs", self._identifier, with_errors=True)

    def _address(self) -> str:
        port = self._aws.engine.call("port", self._identifier, "8080/tcp")
        return port.splitlines()[0]


@contextmanager
def running(aws: LocalAws, image: str, *options: str) -> Iterator[RunningFunction]:
    """Start the image with a read-only file system except for /tmp, as in Lambda."""
    label = f"{_LABEL}-{uuid4()}"
    network = ["--network", aws.state.network] if aws.state.network else []
    identifier = aws.engine.call(
        "run", "--detach", "--label", label, *network, "--publish", "127.0.0.1::8080",
        *FUNCTION_FLAGS.split(), *options, image,
    )  # fmt: skip
    try:
        yield RunningFunction(aws, identifier)
    finally:
        aws.engine.remove_containers(label)
