"""Where local AWS keeps its things: everything lies under `.cache/local_aws` in the checkout."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CACHE: Final = ROOT / ".cache" / "local_aws"
"""Downloads, images and tools: kept between runs, removed by `scripts/local_aws down --purge`."""
CONTAINERS: Final = CACHE / "containers"
"""Podman's storage: apart from the machine's own, so that neither sees the other's containers."""
HERE: Final = Path(__file__).resolve().parent


def run_folder(name: str) -> Path:
    """Where one running local AWS keeps its state, sockets and logs: gone after `down`."""
    return CACHE / "run" / name
