"""Where a running local AWS keeps its files."""

from pathlib import Path

from scripts.shared.paths import LOCAL_AWS_CACHE


def run_folder(name: str) -> Path:
    """Return the folder for state, sockets and logs of one local AWS; `down` removes it."""
    return LOCAL_AWS_CACHE / "run" / name
