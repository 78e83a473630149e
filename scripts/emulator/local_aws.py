"""One running local AWS: MiniStack and a container engine, on a network of their own."""

import contextlib
import json
import os
import shutil
import socket
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

from scripts.emulator import processes
from scripts.emulator.base_image import base_image
from scripts.emulator.paths import run_folder
from scripts.emulator.tools import emulator_program
from scripts.shared.containers import INSTANCE_LABEL, Engine, Podman, find_engine
from scripts.shared.local_http import fetch
from scripts.shared.paths import CHECKOUT
from scripts.shared.terminal import say, step

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
_USUAL_PORT: Final = 4566
# As in Lambda, a function's file system is read-only except for /tmp.
FUNCTION_FLAGS: Final = "--memory=1024m --read-only --tmpfs /tmp:rw,size=512m,mode=1777"


@dataclass(frozen=True)
class State:
    """What a running local AWS stores in its folder for later commands."""

    name: str
    engine: str
    base_image: str
    host: str
    port: int
    network: str | None
    """None where this machine cannot reach containers by their addresses."""
    processes: dict[str, int]
    """Process identifiers in the order in which to end them."""


class LocalAws:
    """A local AWS.

    Attributes
    ----------
    name
        Distinguishes several on one machine, such as the developer's and that of the tests.
    engine
        The container engine.
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
        """The URL of all AWS services."""
        return f"http://{self.state.host}:{self.state.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that make AWS clients talk only to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Otherwise a profile of the user could select a real account.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PROFILE": "",
            "AWS_SESSION_TOKEN": "",
            "NO_PROXY": self.state.host,
            "no_proxy": self.state.host,
        }

    @classmethod
    def running(cls, name: str) -> Self | None:
        """Return the local AWS with a name, or None if it does not answer.

        Parameters
        ----------
        name
            The name given to `start`.
        """
        file = run_folder(name) / "state.json"
        if not file.is_file():
            return None
        state = State(**json.loads(file.read_text()))
        found = cls(name, find_engine(state.engine), state)
        return found if found._ready() else None

    @classmethod
    def start(cls, name: str, *, engine: str | None = None) -> Self:
        """Start an empty local AWS.

        Parameters
        ----------
        name
            Distinguishes it from others on this machine.
        engine
            `docker` or `podman`; by default the one that answers.
        """
        cls.clean_up(name)
        chosen = find_engine(engine)
        say(f"Container engine: {chosen.name}")
        image = base_image(chosen)
        program = emulator_program()
        with step("Starting the AWS emulator"):
            network = unique(name) if chosen.reaches_containers else None
            state = State(name, chosen.name, image, "127.0.0.1", _free_port(), network, {})
            started = cls(name, chosen, state)
            started.folder.mkdir(parents=True)
            started._change()
            try:
                if network:
                    started._change(host=started._connect(network))
                started._start_processes(program)
            except BaseException:
                cls.clean_up(name)
                raise
        say(f"AWS answers on {started.endpoint} (account {ACCOUNT}, region {REGION})")
        return started

    def stop(self) -> None:
        """Stop it and remove its processes, containers, network and files."""
        type(self).clean_up(self.name)

    @classmethod
    def clean_up(cls, name: str) -> bool:
        """Remove everything that belongs to a local AWS with this name, running or not.

        Returns
        -------
        bool
            Whether there was a local AWS to remove.
        """
        folder = run_folder(name)
        file = folder / "state.json"
        if not file.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            return False
        state = State(**json.loads(file.read_text()))
        with step("Stopping the AWS emulator and removing its files"):
            for program, identifier in state.processes.items():
                processes.end(program, identifier)
            engine = find_engine(state.engine)
            engine.remove_containers(f"ministack.instance={_instance(state)}")
            if state.network:
                engine.remove_containers(f"{INSTANCE_LABEL}={state.network}")
                engine.remove_network(state.network)
            shutil.rmtree(folder)
        return True

    def forget_warm_containers(self) -> None:
        """Stop the function's containers, so that the next request starts a new one.

        The emulator distinguishes warm containers only by their image: it would answer a request
        to one version from a container of another version with the same image.
        """
        self.engine.remove_containers(f"ministack.instance={_instance(self.state)}")

    def _connect(self, network: str) -> str:
        """Create the network of the containers, and return this machine's address on it."""
        host = self.engine.create_network(network)
        # Some engines remove a bridge, with its address, when its last container ends.
        self.engine.call(
            "run", "--detach", "--name", network, "--network", network,
            "--label", f"{INSTANCE_LABEL}={network}", "--entrypoint", "sleep",
            self.state.base_image, "infinity",
        )  # fmt: skip
        return host

    def _start_processes(self, program: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if "AWS" not in name}
        environment |= self.environment | {
            "BIND_HOST": self.state.host,
            "GATEWAY_PORT": str(self.state.port),
            # Part of the label of its containers: see _instance().
            "MINISTACK_HOSTNAME": unique(self.name),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            # Enforce policies: the function may only do what its role allows.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_DOCKER_FLAGS": FUNCTION_FLAGS,
            "TMPDIR": str(self.folder),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "STATE_DIR": str(self.folder / "state"),
        }
        # The emulator passes its environment on to functions, where boto3 fails on an empty name.
        del environment["AWS_PROFILE"]
        if self.state.network:
            environment["LAMBDA_DOCKER_NETWORK"] = self.state.network
        if isinstance(self.engine, Podman):
            socket_file = self.folder / "engine.sock"
            environment["DOCKER_HOST"] = f"unix://{socket_file}"
            service = processes.start(
                self.engine.service(socket_file),
                env=os.environ | self.engine.service_environment(self.folder, self.state.host),
                log=self.folder / "engine.log",
                ready=socket_file.exists,
            )
            self._change(processes={"podman": service})
        emulator = processes.start(
            [program], env=environment, log=self.folder / "emulator.log", ready=self._ready
        )
        self._change(processes={"ministack": emulator} | self.state.processes)

    def _change(self, **changes: Any) -> None:
        """Change the state and save it."""
        self.state = replace(self.state, **changes)
        (self.folder / "state.json").write_text(json.dumps(asdict(self.state), indent=1))

    def _ready(self) -> bool:
        try:
            return fetch(f"{self.endpoint}/_ministack/ready", timeout=2).status == HTTPStatus.OK
        except OSError:
            return False


def _instance(state: State) -> str:
    """Return the label that the emulator gives its containers."""
    return f"{unique(state.name)}:{state.port}"


def unique(name: str) -> str:
    """Return a name that is unique on this machine."""
    return f"{CHECKOUT}-{name}"


def _free_port() -> int:
    """Return the emulator's usual port, or another one if that is taken."""
    with socket.socket() as usual, contextlib.suppress(OSError):
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        usual.bind(("", _USUAL_PORT))
        return _USUAL_PORT
    with socket.socket() as any_port:
        any_port.bind(("", 0))
        return int(any_port.getsockname()[1])
