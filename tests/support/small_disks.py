"""Real disks that are too small, and that can be enlarged afterwards."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


class SmallDisk:
    """A mounted disk in memory.

    Attributes
    ----------
    folder
        Its root.
    """

    def __init__(self, folder: Path, kilobytes: int) -> None:
        self.folder = folder
        _mount(folder, f"size={kilobytes}k,mode=0777")

    def enlarge(self) -> None:
        """Make so much room that no test fills it."""
        _mount(self.folder, "remount,size=100m")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[SmallDisk]:
    """Mount a disk of some kilobytes at an existing folder; skip the test where that is forbidden.

    Parameters
    ----------
    folder
        An existing folder.
    kilobytes
        Rounded up to whole pages of memory.
    """
    try:
        disk = SmallDisk(folder, kilobytes)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root on Linux can mount a disk in memory")
    try:
        yield disk
    finally:
        # A process that still uses it does not keep the test from ending.
        subprocess.run([*_AS_ROOT, "umount", "--lazy", folder], check=True)


def _mount(folder: Path, options: str) -> None:
    subprocess.run(
        [*_AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
        check=True,
        capture_output=True,
    )
