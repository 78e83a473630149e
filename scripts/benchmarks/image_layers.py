"""How much the function's image adds to the one that it is built on."""

import json
import re
from typing import Final

from scripts.emulator.console import LocalAwsError
from scripts.emulator.engine import Engine, find_engine

_HANDLER: Final = "lambda_src.api.handler.handler"
_UNITS: Final = {"B": 1e-6, "kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def image_layers_mb() -> float | str:
    """Sum the layers above the base in MB, or say why that cannot be told here."""
    try:
        engine = find_engine()
        image = _newest(engine)
    except LocalAwsError as error:
        return str(error)
    if image is None:
        return "no image of the function is here: build one with scripts/local_aws up"
    megabytes = 0.0
    for line in engine.call("history", "--format", "{{.Size}}\t{{.CreatedBy}}", image).splitlines():
        size, made_by = line.split("\t", 1)
        if "ENTRYPOINT" in made_by:  # the newest layer comes first; this one is of the base
            break
        megabytes += _megabytes(size)
    return megabytes


def _newest(engine: Engine) -> str | None:
    """Find the image that was built last of those whose command is the handler."""
    for identifier in engine.call("images", "--quiet", "--no-trunc").split():
        (facts,) = json.loads(engine.call("image", "inspect", identifier))
        if facts["Config"].get("Cmd") == [_HANDLER]:
            return identifier
    return None


def _megabytes(size: str) -> float:
    """Read a size as engines write it: ``128 MB``, ``7.68kB``.

    Examples
    --------
    >>> _megabytes("128 MB") + _megabytes("7.5kB")
    128.0075
    """
    number, unit = re.fullmatch(r"([\d.]+) ?(\w+)", size).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
