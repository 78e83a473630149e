"""One running local AWS: MiniStack beside a container engine, on a network of their own."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Self

from scripts.emulator.base_image import base_image
from scripts.emulator.console import LocalAwsError, say, step
from scripts.emulator.engine import INSTANCE_LABEL, Engine, Podman, find_engine
from scripts.emulator.fetch import fetch
from scripts.emulator.places import ROOT, run_folder
from scripts.emulator.tools import emulator_program

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
_USUAL_PORT: Final = 4566
_START_SECONDS: Final = 60
# Lambda's own rules for a function's file system: all of it read-only except /tmp.
_FUNCTION_FLAGS: Final = "--memory=1024m --read-only --tmpfs /tmp:rw,size=512m,mode=1777"


@dataclass(frozen=True)
class State:
    """What a running local AWS left in its folder, so that another command finds and ends it."""

    name: str
    engine: str
    base_image: str
    host: str
    port: int
    network: str | None
    """None where this machine can't reach containers by address: then they come to it."""
    processes: dict[str, int]
    """Process identifiers in the order in which to end them."""


class LocalAws:
    """A local AWS that was started under a name.

    Attributes
    ----------
    name
        Tells several apart: the developer's own and the one of the tests.
    engine
        Runs the containers.
    state
        Addresses and process identifiers.
    """

    def __init__(self, name: str, engine: Engine, state: State) -> None:
        self.name = name
        self.engine = engine
        self.state = state
        self.folder = run_folder(name)

    @property
    def endpoint(self) -> str:
        """Where every AWS service answers."""
        return f"http://{self.state.host}:{self.state.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client needs to talk to this emulator and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            # No profile of the person's own can lead anywhere else.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PROFILE": "",
            "AWS_SESSION_TOKEN": "",
            "NO_PROXY": self.state.host,
            "no_proxy": self.state.host,
        }

    @classmethod
    def running(cls, name: str) -> Self | None:
        """Find the local AWS of a name, or None if none answers.

        Parameters
        ----------
        name
            The name that it was started under.
        """
        file = run_folder(name) / "state.json"
        if not file.is_file():
            return None
        state = State(**json.loads(file.read_text()))
        found = cls(name, find_engine(state.engine), state)
        return found if found._ready() else None

    @classmethod
    def start(cls, name: str, *, engine: str | None = None) -> Self:
        """Start a local AWS with nothing in it.

        Parameters
        ----------
        name
            Tells it apart from others on this machine.
        engine
            `docker` or `podman`; by default whichever answers.
        """
        cls.clean_up(name)
        chosen = find_engine(engine)
        say(f"Container engine: {chosen.name}")
        image = base_image(chosen)
        program = emulator_program()
        folder = run_folder(name)
        folder.mkdir(parents=True)
        with step("Starting the AWS emulator"):
            port = _free_port()
            network, host = None, "127.0.0.1"
            if chosen.reaches_containers:
                network = _unique(name)
                host = chosen.create_network(network)
                # A bridge may vanish with its last container, and the address with it.
                chosen.call(
                    "run", "--detach", "--name", network, "--network", network,
                    "--label", f"{INSTANCE_LABEL}={network}", "--entrypoint", "sleep",
                    image, "infinity",
                )  # fmt: skip
            state = State(name, chosen.name, image, host, port, network, {})
            started = cls(name, chosen, state)
            started._save()
            started._start_processes(program)
        say(f"AWS answers on {started.endpoint} (account {ACCOUNT}, region {REGION})")
        return started

    def stop(self) -> None:
        """End it and leave nothing behind: no process, container, network or state."""
        type(self).clean_up(self.name)

    @classmethod
    def clean_up(cls, name: str) -> bool:
        """Remove whatever a local AWS of this name left, running or not.

        Returns
        -------
        bool
            Whether there was something.
        """
        folder = run_folder(name)
        file = folder / "state.json"
        if not file.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            return False
        state = State(**json.loads(file.read_text()))
        with step("Stopping the AWS emulator and removing what it made"):
            for program, identifier in state.processes.items():
                _end(program, identifier)
            engine = find_engine(state.engine)
            engine.remove_containers(f"ministack.instance={_instance(state)}")
            if state.network:
                engine.remove_containers(f"{INSTANCE_LABEL}={state.network}")
                engine.remove_network(state.network)
            shutil.rmtree(folder)
        return True

    def forget_warm_containers(self) -> None:
        """Stop the function's containers, so that the next request starts a fresh one.

        The emulator tells warm containers apart by image alone: it would answer a request to
        one version from a container that another version with the same image had started.
        """
        self.engine.remove_containers(f"ministack.instance={_instance(self.state)}")

    def _start_processes(self, program: Path) -> None:
        environment = {
            "BIND_HOST": self.state.host,
            "GATEWAY_PORT": str(self.state.port),
            "AWS_ENDPOINT_URL": self.endpoint,
            # Marks its containers, and with the port makes the label that _instance() knows.
            "MINISTACK_HOSTNAME": _unique(self.name),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            # Policies are enforced: the function may do what its role says and no more.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_DOCKER_FLAGS": _FUNCTION_FLAGS,
            "TMPDIR": str(self.folder),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "STATE_DIR": str(self.folder / "state"),
        }
        if self.state.network:
            environment["LAMBDA_DOCKER_NETWORK"] = self.state.network
        if isinstance(self.engine, Podman):
            service_socket = self.folder / "engine.sock"
            environment["DOCKER_HOST"] = f"unix://{service_socket}"
            service = self.engine.serve(service_socket, self.folder / "engine.log")
            self._remember("podman", service)
            _wait(service_socket.exists, service, self.folder / "engine.log")
        log = self.folder / "emulator.log"
        with log.open("wb") as output:
            emulator = subprocess.Popen(
                [program],
                env=self._process_environment(environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._remember("ministack", emulator)
        _wait(self._ready, emulator, log)

    def _process_environment(self, own: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if "AWS" not in name}
        credentials = {k: v for k, v in self.environment.items() if k.startswith("AWS_")}
        return {**inherited, **credentials, **own}

    def _remember(self, program: str, process: subprocess.Popen[bytes]) -> None:
        # The last to start is the first to end.
        processes = {program: process.pid, **self.state.processes}
        self.state = State(**{**asdict(self.state), "processes": processes})
        self._save()

    def _save(self) -> None:
        (self.folder / "state.json").write_text(json.dumps(asdict(self.state), indent=1))

    def _ready(self) -> bool:
        try:
            return fetch(f"{self.endpoint}/_ministack/ready", timeout=2).status == HTTPStatus.OK
        except OSError:
            return False


def _instance(state: State) -> str:
    """Return how the emulator labels its containers."""
    return f"{_unique(state.name)}:{state.port}"


def _unique(name: str) -> str:
    """Name something that the whole machine sees: two checkouts don't meet."""
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]
    return f"etiquette-{checkout}-{name}"


def _free_port() -> int:
    """Return the emulator's usual port, or another one if that is taken."""
    with socket.socket() as usual, contextlib.suppress(OSError):
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        usual.bind(("", _USUAL_PORT))
        return _USUAL_PORT
    with socket.socket() as any_port:
        any_port.bind(("", 0))
        return int(any_port.getsockname()[1])


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise LocalAwsError(f"{log.stem} did not start:\n{said}")
        time.sleep(0.1)


def _end(program: str, identifier: int) -> None:
    """End a process that this project started, if it is still the same one."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if program not in _command_line(identifier):
            return
        os.kill(identifier, number)
        deadline = time.monotonic() + 15
        while program in _command_line(identifier) and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(identifier, os.WNOHANG)  # our own child, when the tests started it
            time.sleep(0.1)


def _command_line(identifier: int) -> str:
    """Return what a process runs, or nothing if it has ended."""
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{identifier}/cmdline").read_text().replace("\0", " ")
        return ""
    arguments = ["ps", "-o", "command=", "-p", str(identifier)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return "" if "<defunct>" in done.stdout else done.stdout
