"""What a month costs at three levels of traffic, by the price table beside this file.

No free tier is counted, and first tiers only: the bill is lower, seldom higher.
"""

import argparse
from typing import Any, Final, NamedTuple

from scripts.benchmarks.costs import PRICES, dollars_per_million
from scripts.benchmarks.table import table

SECONDS: Final = 30 * 24 * 3600
MEMORY_MB: Final = 1024
HANDLER_MS: Final = 0.6
"""On a whole core: `scripts/bench serving` (docs/serving.md)."""
LOG_BYTES: Final = 2600
"""Of one prediction: 1,500 of its metrics and event (tests/samples), the rest of Lambda's own lines
and of the access log."""
ANSWER_BYTES: Final = 1000
"""With its headers."""
VERSIONS: Final = 3
"""Kept, each with a snapshot; one that nobody asks loses it after 14 days."""
IMAGE_GB: Final = 0.25
METRICS: Final = 8
"""Custom ones: those of `lambda_src/metrics.py`, with one dimension."""
ALARM_METRICS: Final = 30
"""Of all alarms of `prod`: one that computes counts each metric, a band counts two more."""
DASHBOARDS: Final = 2


class Level(NamedTuple):
    """How much is asked."""

    name: str
    predictions: int
    """A month."""
    cold_share: float
    """Of the requests that start a copy, assumed: the rarer they come, the more."""


LEVELS: Final = (
    Level("10 thousand", 10_000, 0.2),
    Level("1 million", 1_000_000, 0.01),
    Level("100 million", 100_000_000, 0.001),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Say what `scripts/bench monthly` takes: nothing more."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Compute and print the table."""
    found = {level.name: monthly(level) for level in LEVELS}
    print(monthly_table(found))
    return found


def monthly(level: Level) -> dict[str, float]:
    """Price a month, item by item, in dollars.

    Parameters
    ----------
    level
        The traffic.

    Returns
    -------
    dict of str to float
        By what it is paid for.
    """
    prices: dict[str, float] = PRICES["operation"]
    memory_gb = MEMORY_MB / 1024
    millions = level.predictions / 1e6
    # X-Ray samples the first request of each second and a twentieth of the others.
    traces = min(level.predictions, SECONDS) + 0.05 * max(0, level.predictions - SECONDS)
    watching = (
        METRICS * prices["metric_month"]
        + ALARM_METRICS * prices["alarm_metric_month"]
        + DASHBOARDS * prices["dashboard_month"]
        + prices["key_month"]
    )
    return {
        "Requests and computing (Lambda, HTTP API)": millions
        * dollars_per_million(HANDLER_MS, MEMORY_MB, "arm64"),
        "Snapshots kept": VERSIONS * memory_gb * SECONDS * prices["snapshot_gb_second"],
        "Snapshots restored": level.predictions
        * level.cold_share
        * memory_gb
        * prices["restored_gb"],
        "Logs": level.predictions * LOG_BYTES / 1e9 * prices["log_gb"],
        "Traces": traces / 1e6 * prices["million_traces"],
        "Answers sent": level.predictions * ANSWER_BYTES / 1e9 * prices["transfer_gb"],
        "Metrics, alarms, dashboards, key": watching,
        "Images": VERSIONS * IMAGE_GB * prices["image_gb_month"],
    }


def monthly_table(found: dict[str, dict[str, float]]) -> str:
    """Write the months side by side, with their sums."""
    items = list(next(iter(found.values())))
    rows = [[item, *(f"${month[item]:,.2f}" for month in found.values())] for item in items]
    rows.append(["A month", *(f"${sum(month.values()):,.2f}" for month in found.values())])
    return table(["Predictions a month", *found], rows)
