"""Settings of the interpreter that make the function start faster.

Import this module before any large package, and call `finish` when start-up is over.
"""

import gc
import os
import sys

# Start-up creates no garbage, and searching for some takes about 10 % of its time.
gc.disable()
# OpenBLAS reads this when numpy is imported. The products here have about 25 rows, too few to
# share among threads, and starting threads costs time and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Pydantic would search all installed packages for plugins, and there are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# FastAPI would import version 1 of pydantic to find out that no model uses it.
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]


def finish() -> None:
    """Undo what only helps a start, and exclude the objects that exist from garbage collection."""
    del sys.modules["pydantic.v1"]
    gc.freeze()
    gc.enable()
