"""A quicker start of the function: imported before all that is heavy, ended by `finish`."""

import gc
import os

# Nothing that a start makes is garbage: looking for some takes a tenth of it.
gc.disable()
# Before numpy is imported: a product of 25 rows is no work for several threads, and starting them
# takes time and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def finish() -> None:
    """Collect garbage again, but never look at what the start made."""
    gc.freeze()
    gc.enable()
