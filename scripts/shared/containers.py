"""The container engine: Docker if its daemon answers, otherwise podman as root on Linux."""

import json
import platform
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.shared.commands import run
from scripts.shared.machine import is_root
from scripts.shared.paths import CONTAINERS, UNTIL_RESTART
from scripts.shared.terminal import UserError

CA_BUNDLE: Final = Path("/etc/ssl/certs/ca-certificates.crt")
INSTANCE_LABEL: Final = "etiquette.local-aws"
"""The label of the containers and networks of this project; its value is the name of the run."""


class Engine(ABC):
    """A container engine, through the commands that Docker and podman have in common.

    Attributes
    ----------
    name
        The program: `docker` or `podman`.
    env
        Environment variables that the program needs.
    """

    name: str
    env: Mapping[str, str]
    _build_options: Sequence[str] = ()
    _remove: Sequence[str] = ("rm", "--force", "--volumes")

    def call(self, *arguments: str | Path, timeout: float = 900, with_errors: bool = False) -> str:
        """Run the engine's command line and return its output."""
        command = [self.name, *arguments]
        return run(command, env=self.env, timeout=timeout, with_errors=with_errors).strip()

    @property
    @abstractmethod
    def reaches_containers(self) -> bool:
        """Whether this machine and its containers reach each other by their own addresses."""

    def build(
        self,
        folder: Path,
        *,
        tag: str,
        file: Path | None = None,
        target: str | None = None,
        contexts: Mapping[str, Path] | None = None,
        args: Mapping[str, str],
        label: str | None = None,
    ) -> None:
        """Build an image.

        Parameters
        ----------
        folder
            The build context.
        tag
            The name of the image.
        file
            The Dockerfile; by default the one in the build context.
        target
            The stage to build; by default the last one.
        contexts
            Folders in place of stages of the Dockerfile, by the names of the stages.
        args
            Values of the Dockerfile's build arguments.
        label
            A label of the image, as NAME=VALUE.

        Raises
        ------
        UserError
            If the build fails, or if this engine lacks something that the builds need.
        """
        self._check_can_build()
        stage = ["--target", target] if target else []
        given = [word for item in args.items() for word in ("--build-arg", "=".join(item))]
        labelled = ["--label", label] if label else []
        folders = [
            word
            for name, path in (contexts or {}).items()
            for word in ("--build-context", f"{name}={path}")
        ]
        self.call(
            "build", "--quiet", *self._build_options, "--tag", tag,
            "--file", file or folder / "Dockerfile", *stage, *folders, *given, *labelled, folder,
        )  # fmt: skip

    @abstractmethod
    def _check_can_build(self) -> None:
        """Raise an error if this engine lacks something that the builds need."""

    @abstractmethod
    def gateway(self, network: str) -> str:
        """Return this machine's address on a network."""

    def has_image(self, tag: str, *, label: str | None = None) -> bool:
        """Return whether the engine holds an image with this name and, if given, this label."""
        wanted = ["--filter", f"reference={tag}"]
        if label:
            wanted += ["--filter", f"label={label}"]
        return bool(self.call("images", "--quiet", *wanted))

    def create_network(self, name: str) -> str:
        """Create a network and return this machine's address on it."""
        self.call("network", "create", "--label", f"{INSTANCE_LABEL}={name}", name)
        return self.gateway(name)

    def containers(self, label: str) -> list[str]:
        """Return the identifiers of the containers with a label, including stopped ones."""
        return self.call("ps", "--all", "--quiet", "--filter", f"label={label}").split()

    def remove_containers(self, label: str) -> int:
        """Remove the containers with a label and return their number."""
        identifiers = self.containers(label)
        if identifiers:
            self.call(*self._remove, *identifiers)
        return len(identifiers)

    def remove_network(self, name: str) -> None:
        """Remove a network, if it exists."""
        if name in self.call("network", "ls", "--format", "{{.Name}}").splitlines():
            self.call("network", "rm", name)


class Docker(Engine):
    """The running Docker daemon."""

    name = "docker"

    def __init__(self) -> None:
        # Versions before 23 would use the legacy builder even if buildx is installed.
        self.env = {"DOCKER_BUILDKIT": "1"}
        self._system = self.call("info", "--format", "{{.OperatingSystem}}", timeout=20)

    def _check_can_build(self) -> None:
        """Raise an error without buildx: the legacy builder does not know `${BUILDPLATFORM}`."""
        try:
            self.call("buildx", "version", timeout=20)
        except UserError as error:
            raise UserError(
                "Docker has no plugin buildx, which the builds of the images need. Install it: "
                "apt-get install docker-buildx on Debian 13 and Ubuntu, docker-buildx-plugin from "
                "Docker's own packages, or brew install docker-buildx."
            ) from error

    @property
    def reaches_containers(self) -> bool:
        """False under Docker Desktop, whose containers live in a virtual machine."""
        return platform.system() == "Linux" and "Desktop" not in self._system

    def gateway(self, network: str) -> str:
        """Return the gateway of a bridge network."""
        inspected = json.loads(self.call("network", "inspect", network))
        return str(inspected[0]["IPAM"]["Config"][0]["Gateway"])


class Podman(Engine):
    """Podman as root, with its own storage and settings under `.cache`."""

    name = "podman"
    # Without a timeout of 0, podman waits ten seconds for each container to end.
    _remove = ("rm", "--force", "--volumes", "--time", "0")

    def __init__(self) -> None:
        CONTAINERS.mkdir(parents=True, exist_ok=True)
        settings = CONTAINERS / "containers.conf"
        storage = CONTAINERS / "storage.conf"
        # The defaults fail where control groups are version 1 or limits cannot be raised, so the
        # containers get explicit limits and systemd is not used. Locks and temporary files are
        # separate from those of the machine's own podman.
        settings.write_text(
            "[containers]\n"
            'default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]\n'
            'log_driver = "k8s-file"\n'
            "[engine]\n"
            'runtime = "runc"\n'
            'cgroup_manager = "cgroupfs"\n'
            'events_logger = "file"\n'
            'lock_type = "file"\n'
            f'tmp_dir = "{UNTIL_RESTART / "libpod"}"\n'
            "[network]\n"
            f'network_config_dir = "{CONTAINERS / "networks"}"\n'
        )
        storage.write_text(
            "[storage]\n"
            'driver = "overlay"\n'
            f'graphroot = "{CONTAINERS / "storage"}"\n'
            f'runroot = "{UNTIL_RESTART / "storage"}"\n'
        )
        self.env = {
            "CONTAINERS_CONF": str(settings),
            "CONTAINERS_STORAGE_CONF": str(storage),
        }
        # Some machines forbid the system calls that other kinds of isolation need. pip inside the
        # build must trust the same certificates as this machine, such as a proxy's.
        trust = ["--volume", f"{CA_BUNDLE}:{CA_BUNDLE}:ro"] if CA_BUNDLE.is_file() else []
        self._build_options = ["--layers", "--isolation", "chroot", *trust]

    def _check_can_build(self) -> None:
        """Podman's builds need nothing else."""

    @property
    def reaches_containers(self) -> bool:
        """Always true: the bridge belongs to this machine."""
        return True

    def gateway(self, network: str) -> str:
        """Return the gateway of a bridge network."""
        inspected = json.loads(self.call("network", "inspect", network))
        return str(inspected[0]["subnets"][0]["gateway"])

    @staticmethod
    def forget_everything() -> None:
        """Remove the images and everything else in this checkout's podman.

        `podman system reset` would also remove what it shares with the machine's own podman.
        """
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted(mounted, reverse=True):  # nested mounts first
            if Path(place).is_relative_to(CONTAINERS) or Path(place).is_relative_to(UNTIL_RESTART):
                run(["umount", place])
        shutil.rmtree(CONTAINERS, ignore_errors=True)
        shutil.rmtree(UNTIL_RESTART, ignore_errors=True)

    def service_environment(self, folder: Path, host: str) -> dict[str, str]:
        """Return the environment of `service`, in which containers know this machine by a name.

        Programs that speak Docker's API use the name `host.docker.internal`, which this version of
        podman does not resolve.

        Parameters
        ----------
        folder
            For the files of this service.
        host
            This machine's address on the network of the containers.
        """
        hosts, settings = folder / "hosts", folder / "containers.conf"
        hosts.write_text(f"{host} host.docker.internal\n")
        shared = Path(self.env["CONTAINERS_CONF"]).read_text()
        named = f'[containers]\nbase_hosts_file = "{hosts}"\n'
        settings.write_text(shared.replace("[containers]\n", named))
        return {**self.env, "CONTAINERS_CONF": str(settings)}

    def service(self, socket: Path) -> list[str | Path]:
        """Return the command that serves Docker's API on a socket."""
        return [self.name, "system", "service", "--time", "0", f"unix://{socket}"]


def docker_answers() -> bool:
    """Return whether a Docker daemon answers: the program may be installed without one."""
    if shutil.which("docker") is None:
        return False
    try:
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def find_engine(wanted: str | None = None) -> Engine:
    """Choose the container engine.

    Parameters
    ----------
    wanted
        `docker` or `podman`; by default Docker if its daemon answers, then podman.

    Raises
    ------
    UserError
        If no container engine works on this machine.
    """
    if wanted != "podman" and docker_answers():
        return Docker()
    # Only root can create containers that share a network with this machine.
    if wanted != "docker" and shutil.which("podman") and is_root():
        return Podman()
    missing = f"The container engine {wanted}" if wanted else "A container engine"
    raise UserError(
        f"{missing} is not available. Start Docker, or install podman with: "
        "scripts/local_aws prepare (as root on Debian)"
    )
