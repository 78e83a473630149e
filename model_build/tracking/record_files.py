"""The names of the files in which a training leaves its record; see `run_record`."""

from pathlib import Path
from typing import Final

FACTS: Final = "run.json"
RELIABILITY: Final = "reliability.png"


def record_folder(bundle: Path) -> Path:
    """Return the folder of a bundle's record: ``model.safetensors`` has ``model.run``."""
    return bundle.with_suffix(".run")
