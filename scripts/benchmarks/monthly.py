"""The cost of a month at three levels of traffic, from the price table in prices.json.

The calculation ignores free tiers and volume discounts, so the real bill is usually lower.
"""

import argparse
from typing import Any, Final, NamedTuple

from scripts.benchmarks.costs import PRICES, dollars_per_million
from scripts.shared.tables import table

SECONDS: Final = 30 * 24 * 3600
MEMORY_MB: Final = 1024
HANDLER_MS: Final = 0.6
"""The time of one prediction on a whole core, from `scripts/bench serving` (docs/serving.md)."""
LOG_BYTES: Final = 2600
"""Log of one prediction: 1,500 bytes for metrics and event, the rest for Lambda's own lines and the
access log."""
ANSWER_BYTES: Final = 1000
"""One response with its headers."""
VERSIONS: Final = 3
"""Versions that are kept. Each has a snapshot, which Lambda removes after 14 days without use."""
IMAGE_GB: Final = 0.25
METRICS: Final = 8
"""Custom metrics: those of `lambda_src/metrics.py`, with one dimension."""
ALARM_METRICS: Final = 30
"""Metrics of all alarms of `prod`. An alarm with metric math counts each of its metrics; an anomaly
band counts as two more."""
DASHBOARDS: Final = 2


class Level(NamedTuple):
    """A level of traffic."""

    name: str
    predictions: int
    """Predictions in a month."""
    cold_share: float
    """The assumed share of requests with a cold start. It is higher when there is less traffic."""


LEVELS: Final = (
    Level("10 thousand", 10_000, 0.2),
    Level("1 million", 1_000_000, 0.01),
    Level("100 million", 100_000_000, 0.001),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare no further options for `scripts/bench monthly`."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Calculate the costs, print the table, and return the figures."""
    found = {level.name: monthly(level) for level in LEVELS}
    print(monthly_table(found))
    return found


def monthly(level: Level) -> dict[str, float]:
    """Calculate the costs of a month.

    Parameters
    ----------
    level
        The level of traffic.

    Returns
    -------
    dict of str to float
        The cost of each item, in dollars.
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
        "Requests and compute (Lambda, HTTP API)": millions
        * dollars_per_million(HANDLER_MS, MEMORY_MB, "arm64"),
        "Snapshots kept": VERSIONS * memory_gb * SECONDS * prices["snapshot_gb_second"],
        "Snapshots restored": level.predictions
        * level.cold_share
        * memory_gb
        * prices["restored_gb"],
        "Logs": level.predictions * LOG_BYTES / 1e9 * prices["log_gb"],
        "Traces": traces / 1e6 * prices["million_traces"],
        "Data transfer out": level.predictions * ANSWER_BYTES / 1e9 * prices["transfer_gb"],
        "Metrics, alarms, dashboards, key": watching,
        "Images": VERSIONS * IMAGE_GB * prices["image_gb_month"],
    }


def monthly_table(found: dict[str, dict[str, float]]) -> str:
    """Format the costs of the levels side by side, with their sums."""
    items = list(next(iter(found.values())))
    rows = [[item, *(f"${month[item]:,.2f}" for month in found.values())] for item in items]
    rows.append(["Total", *(f"${sum(month.values()):,.2f}" for month in found.values())])
    return table(["Predictions per month", *found], rows)
