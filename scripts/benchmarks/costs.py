"""The cost of a million predictions by Lambda behind an HTTP API."""

import json
import math
from pathlib import Path
from typing import Any, Final

from scripts.benchmarks.cold_starts import FULL_CORE_MB
from scripts.shared.tables import table

PRICES: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
)


def dollars_per_million(handler_ms: float, memory_mb: int, architecture: str) -> float:
    """Return the cost of a million predictions.

    Below 1769 MB Lambda gives a fraction of a core. It bills whole milliseconds.

    Parameters
    ----------
    handler_ms
        The time of one prediction on a whole core, in milliseconds.
    memory_mb
        The memory size of the function.
    architecture
        `arm64` or `x86_64`.

    Examples
    --------
    >>> round(dollars_per_million(0.5, 1024, "x86_64") - 1.20, 4)
    0.0167
    """
    billed_ms = math.ceil(handler_ms * max(1, FULL_CORE_MB / memory_mb))
    gb_seconds = billed_ms * memory_mb / 1024 * 1000
    per_gb_second: float = PRICES["lambda_gb_second"][architecture]
    requests: float = PRICES["lambda_million_requests"] + PRICES["http_api_million_requests"]
    return gb_seconds * per_gb_second + requests


def costs(handler_ms: float, baseline_ms: float, sizes: list[int]) -> dict[str, Any]:
    """Return the costs of Etiquette (`ours`) and of the baseline service (`usual`).

    Parameters
    ----------
    handler_ms, baseline_ms
        The time of one prediction on a whole core, in milliseconds.
    sizes
        Memory sizes in MB.
    """
    return {
        str(size): {
            architecture: {
                "ours": dollars_per_million(handler_ms, size, architecture),
                "usual": dollars_per_million(baseline_ms, size, architecture),
            }
            for architecture in PRICES["lambda_gb_second"]
        }
        for size in sizes
    }


def costs_table(found: dict[str, Any]) -> str:
    """Format the costs, which include Lambda's requests and the HTTP API."""
    names = {"ours": "Etiquette", "usual": "Baseline"}
    columns = [(who, each) for each in PRICES["lambda_gb_second"] for who in names]
    header = ["Memory (MB)", *(f"{names[who]}, {architecture}" for who, architecture in columns)]
    rows = [
        [size, *(f"${prices[architecture][who]:.2f}" for who, architecture in columns)]
        for size, prices in found.items()
    ]
    return (
        f"Cost of a million predictions ({PRICES['region']}, prices of {PRICES['date']})\n\n"
        f"{table(header, rows)}"
    )
