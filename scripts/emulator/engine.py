"""The container engine: Docker where it answers, otherwise podman as root on Linux."""

import json
import os
import platform
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from scripts.emulator.commands import run
from scripts.emulator.console import LocalAwsError
from scripts.emulator.places import CONTAINERS, UNTIL_RESTART

CA_BUNDLE: Final = Path("/etc/ssl/certs/ca-certificates.crt")
INSTANCE_LABEL: Final = "etiquette.local-aws"
"""Marks the containers and networks that this project started, with the name of the run."""


def architecture() -> str:
    """Return this machine's architecture in Lambda's words.

    Returns
    -------
    str
        `arm64` or `x86_64`.
    """
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


class Engine(ABC):
    """What is asked of a container engine, in the words that Docker and podman share.

    Attributes
    ----------
    name
        The program: `docker` or `podman`.
    env
        Variables that the program needs.
    """

    name: str
    env: Mapping[str, str]
    _remove: tuple[str, ...] = ("rm", "--force", "--volumes")

    def call(self, *arguments: str | Path, timeout: float = 900, with_errors: bool = False) -> str:
        """Run the engine's command line and return what it printed."""
        said = run([self.name, *arguments], env=self.env, timeout=timeout, with_errors=with_errors)
        return said.strip()

    @property
    @abstractmethod
    def reaches_containers(self) -> bool:
        """Whether this machine reaches containers by their own addresses, and they it."""

    @abstractmethod
    def build(
        self,
        folder: Path,
        *,
        tag: str,
        file: Path | None = None,
        target: str | None = None,
        args: Mapping[str, str],
    ) -> None:
        """Build an image from a folder."""

    @abstractmethod
    def gateway(self, network: str) -> str:
        """Return this machine's address on a network."""

    def has_image(self, tag: str) -> bool:
        """Whether an image is there under a name."""
        return bool(self.call("images", "--quiet", tag))

    def create_network(self, name: str) -> str:
        """Make a network and return this machine's address on it."""
        self.call("network", "create", "--label", f"{INSTANCE_LABEL}={name}", name)
        return self.gateway(name)

    def containers(self, label: str) -> list[str]:
        """List the identifiers of the containers that carry a label, stopped ones too."""
        return self.call("ps", "--all", "--quiet", "--filter", f"label={label}").split()

    def remove_containers(self, label: str) -> int:
        """Remove the containers that carry a label and return how many there were."""
        identifiers = self.containers(label)
        if identifiers:
            self.call(*self._remove, *identifiers)
        return len(identifiers)

    def remove_network(self, name: str) -> None:
        """Remove a network, if it is there."""
        if name in self.call("network", "ls", "--format", "{{.Name}}").splitlines():
            self.call("network", "rm", name)


class Docker(Engine):
    """A Docker daemon that is already there."""

    name = "docker"

    def __init__(self) -> None:
        self.env = {}
        self._system = self.call("info", "--format", "{{.OperatingSystem}}", timeout=20)

    @property
    def reaches_containers(self) -> bool:
        """False under Docker Desktop, whose containers live in a virtual machine."""
        return platform.system() == "Linux" and "Desktop" not in self._system

    def build(
        self,
        folder: Path,
        *,
        tag: str,
        file: Path | None = None,
        target: str | None = None,
        args: Mapping[str, str],
    ) -> None:
        """Build with `docker build`."""
        self.call("build", "--quiet", *_build_arguments(folder, tag, file, target, args))

    def gateway(self, network: str) -> str:
        """Return the gateway of a bridge network."""
        inspected = json.loads(self.call("network", "inspect", network))
        return str(inspected[0]["IPAM"]["Config"][0]["Gateway"])


class Podman(Engine):
    """Podman as root, with storage and settings of its own under `.cache`."""

    name = "podman"
    # It would wait ten seconds for each container to end by itself.
    _remove = ("rm", "--force", "--volumes", "--time", "0")

    def __init__(self) -> None:
        CONTAINERS.mkdir(parents=True, exist_ok=True)
        settings = CONTAINERS / "containers.conf"
        storage = CONTAINERS / "storage.conf"
        # The defaults fail where control groups are mounted in the old way or where limits
        # can't be raised: containers get limits of their own, and no systemd is asked. Locks
        # and temporary files apart from those of the machine's own podman, too.
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

    @property
    def reaches_containers(self) -> bool:
        """Always: the bridge is one of this machine's own."""
        return True

    def build(
        self,
        folder: Path,
        *,
        tag: str,
        file: Path | None = None,
        target: str | None = None,
        args: Mapping[str, str],
    ) -> None:
        """Build with podman, without the system calls that some machines deny."""
        # pip inside the build trusts what this machine trusts: a proxy's certificate too.
        trust = ["--volume", f"{CA_BUNDLE}:{CA_BUNDLE}:ro"] if CA_BUNDLE.is_file() else []
        self.call(
            "build", "--quiet", "--layers", "--isolation", "chroot", *trust,
            *_build_arguments(folder, tag, file, target, args),
        )  # fmt: skip

    def gateway(self, network: str) -> str:
        """Return the gateway of a bridge network."""
        inspected = json.loads(self.call("network", "inspect", network))
        return str(inspected[0]["subnets"][0]["gateway"])

    @staticmethod
    def forget_everything() -> None:
        """Remove the images and all else that this checkout's podman holds.

        `podman system reset` would also remove what it shares with the machine's own podman.
        """
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted(mounted, reverse=True):  # what lies deepest comes first
            if Path(place).is_relative_to(CONTAINERS) or Path(place).is_relative_to(UNTIL_RESTART):
                run(["umount", place])
        shutil.rmtree(CONTAINERS, ignore_errors=True)
        shutil.rmtree(UNTIL_RESTART, ignore_errors=True)

    def service(self, socket: Path) -> list[str | Path]:
        """Return the command that speaks Docker's API on a socket."""
        return [self.name, "system", "service", "--time", "0", f"unix://{socket}"]


def _build_arguments(
    folder: Path, tag: str, file: Path | None, target: str | None, args: Mapping[str, str]
) -> Sequence[str]:
    stage = ["--target", target] if target else []
    given = [word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")]
    return ["--tag", tag, "--file", str(file or folder / "Dockerfile"), *stage, *given, str(folder)]


def docker_answers() -> bool:
    """Whether a Docker daemon answers, which the program alone does not say."""
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


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0


def is_debian_root() -> bool:
    """Whether the missing packages may be installed here."""
    return Path("/etc/debian_version").is_file() and is_root()


def find_engine(wanted: str | None = None) -> Engine:
    """Choose the container engine.

    Parameters
    ----------
    wanted
        `docker` or `podman`; by default Docker if its daemon answers, then podman.

    Raises
    ------
    LocalAwsError
        If there is none that works here.
    """
    if wanted != "podman" and docker_answers():
        return Docker()
    # Containers that share a network with this machine are for root alone.
    if wanted != "docker" and shutil.which("podman") and is_root():
        return Podman()
    raise LocalAwsError(
        f"no container engine{f' {wanted}' if wanted else ''} here: start Docker, or run "
        "scripts/local_aws prepare as root on Debian, which installs podman"
    )
