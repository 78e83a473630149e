"""Settings of the interpreter that make the function start faster.

Import this module before any large package, and call `finish` when start-up is over.
"""

import gc
import os

# Start-up creates no garbage, and searching for some takes about 10 % of its time.
gc.disable()
# OpenBLAS reads this when numpy is imported. The products here have about 25 rows, too few to
# share among threads, and starting threads costs time and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def finish() -> None:
    """Turn garbage collection on again, but exclude every object that start-up created."""
    gc.freeze()
    gc.enable()
