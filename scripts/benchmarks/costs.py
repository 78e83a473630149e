"""What a million predictions cost in Lambda behind an HTTP API."""

import json
import math
from pathlib import Path
from typing import Any, Final

from scripts.benchmarks.cold_starts import FULL_CORE_MB
from scripts.benchmarks.table import table

PRICES: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
)


def dollars_per_million(handler_ms: float, memory_mb: int, architecture: str) -> float:
    """Price a million predictions that take so long on a whole core.

    Lambda gives a part of a core at less than 1769 MB, and bills whole milliseconds.

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


def costs(handler_ms: float, rival_ms: float, sizes: list[int]) -> dict[str, Any]:
    """Price ours and the usual stack at each memory size and architecture."""
    return {
        str(size): {
            architecture: {
                "ours": dollars_per_million(handler_ms, size, architecture),
                "usual": dollars_per_million(rival_ms, size, architecture),
            }
            for architecture in PRICES["lambda_gb_second"]
        }
        for size in sizes
    }


def costs_table(found: dict[str, Any]) -> str:
    """Write the prices, those of requests and of the HTTP API with them."""
    columns = [(who, each) for each in PRICES["lambda_gb_second"] for who in ("ours", "usual")]
    header = ["Memory MB", *(f"{who}, {architecture}" for who, architecture in columns)]
    rows = [
        [size, *(f"${prices[architecture][who]:.2f}" for who, architecture in columns)]
        for size, prices in found.items()
    ]
    return (
        f"A million predictions ({PRICES['region']}, prices of {PRICES['date']})\n\n"
        f"{table(header, rows)}"
    )
