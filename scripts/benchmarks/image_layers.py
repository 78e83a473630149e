"""The size that the function's image adds to its base image."""

import json
import re
from typing import Final

from scripts.shared.containers import Engine, find_engine
from scripts.shared.terminal import UserError

_HANDLER: Final = "lambda_src.api.handler.handler"
_UNITS: Final = {"B": 1e-6, "kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


def image_layers_mb() -> float | str:
    """Return the size of the layers above the base image in MB, or why it is not known."""
    try:
        engine = find_engine()
        image = _newest(engine)
    except UserError as error:
        return str(error)
    if image is None:
        return "There is no image of the function. Build it with: scripts/local_aws up deploy"
    megabytes = 0.0
    for line in engine.call("history", "--format", "{{.Size}}\t{{.CreatedBy}}", image).splitlines():
        size, made_by = line.split("\t", 1)
        if "ENTRYPOINT" in made_by:  # from here on: the base image
            break
        megabytes += _megabytes(size)
    return megabytes


def _newest(engine: Engine) -> str | None:
    """Return the newest image whose command is the handler."""
    for identifier in engine.call("images", "--quiet", "--no-trunc").split():
        (facts,) = json.loads(engine.call("image", "inspect", identifier))
        if facts["Config"].get("Cmd") == [_HANDLER]:
            return identifier
    return None


def _megabytes(size: str) -> float:
    """Parse a size as container engines print it, such as ``128 MB`` or ``7.68kB``.

    Examples
    --------
    >>> _megabytes("128 MB") + _megabytes("7.5kB")
    128.0075
    """
    number, unit = re.fullmatch(r"([\d.]+) ?(\w+)", size).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
