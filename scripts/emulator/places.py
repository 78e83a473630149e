"""Where local AWS keeps its things: under `.cache/local_aws` in the checkout."""

import hashlib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CACHE: Final = ROOT / ".cache" / "local_aws"
"""Downloads, images and tools: kept between runs, removed by `scripts/local_aws down --purge`."""
CONTAINERS: Final = CACHE / "containers"
"""Podman's storage: apart from the machine's own, so that neither sees the other's containers."""
CHECKOUT: Final = f"etiquette-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"
"""Names this checkout where the whole machine sees it, so that two of them don't meet."""
UNTIL_RESTART: Final = Path("/run") / CHECKOUT
"""What podman must forget when the machine restarts, as the containers themselves are gone."""
HERE: Final = Path(__file__).resolve().parent


def run_folder(name: str) -> Path:
    """Where one running local AWS keeps its state, sockets and logs: gone after `down`."""
    return CACHE / "run" / name
