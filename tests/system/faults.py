"""What the tests of faults share."""

import os

ALL_FAULTS = os.environ.get("ALL_FAULTS") == "true"
"""Whether to make every fault at every moment, and not only some of them."""
