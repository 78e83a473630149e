"""Where the scripts find the checkout, and where they keep what they download and build."""

import hashlib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""
CDK: Final = ROOT / "infra_cdk" / "node_modules" / ".bin" / "cdk"
"""The CDK command line, which scripts/cdk installs."""
LOCAL_AWS_CACHE: Final = ROOT / ".cache" / "local_aws"
"""Downloads, images and tools of local AWS. `scripts/local_aws down --purge` removes them."""
CONTAINERS: Final = LOCAL_AWS_CACHE / "containers"
"""Podman's storage, separate from the machine's own: neither sees the other's containers."""
CHECKOUT: Final = f"etiquette-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"
"""A name for this checkout that is unique on the machine, so that two checkouts do not clash."""
UNTIL_RESTART: Final = Path("/run") / CHECKOUT
"""Podman's state that must not survive a restart, because the containers do not."""
