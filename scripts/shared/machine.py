"""Facts about this machine."""

import os
import platform
from pathlib import Path


def architecture() -> str:
    """Return this machine's architecture as Lambda names it.

    Returns
    -------
    str
        `arm64` or `x86_64`.
    """
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def is_root() -> bool:
    """Return whether this process runs as root."""
    return os.geteuid() == 0


def is_debian_root() -> bool:
    """Return whether this process may install Debian packages."""
    return Path("/etc/debian_version").is_file() and is_root()
