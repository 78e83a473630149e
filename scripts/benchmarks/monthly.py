"""The cost of a month at several levels of traffic, from the price table in prices.json.

The calculation ignores free tiers and volume discounts, so the real bill is usually lower.
"""

import argparse
import math
from typing import Any, Final, NamedTuple

from scripts.benchmarks.cold_starts import FULL_CORE_MB
from scripts.benchmarks.costs import PRICES
from scripts.shared.tables import table

SECONDS: Final = 30 * 24 * 3600
MEMORY_MB: Final = 1024
HANDLER_MS: Final = 0.6
"""The time of one prediction on a whole core, from `scripts/bench serving` (docs/serving.md)."""
PREDICTION_LOG_BYTES: Final = 2200
"""The two lines of a prediction: metrics and event."""
EVENT_BYTES: Final = 1500
"""The event alone, which is also in the event store."""
BATCHES_PER_SECOND: Final = 1
"""How often CloudWatch Logs calls the event archive at most. An estimate: with less traffic, each
event is a batch of its own."""
ARCHIVE_MS: Final = 100
ARCHIVE_MB: Final = 256
ARCHIVE_LOG_BYTES: Final = 600
"""What the event archive itself writes about a batch: its metrics, and Lambda's lines."""
REQUEST_LOG_BYTES: Final = 1100
"""What Lambda and API Gateway write about a request."""
LOG_COMPRESSED: Final = 0.25
"""How much of a log remains when CloudWatch has compressed it for storage. An estimate: the lines
are JSON with the same keys."""
RETENTION_MONTHS: Final = 3
"""How long `prod` keeps logs and events. Their storage grows for so long."""
ANSWER_BYTES: Final = 1000
"""One response with its headers."""
VERSIONS: Final = 3
"""Versions that are kept. Each has a snapshot, which Lambda removes after 14 days without use."""
IMAGE_GB: Final = 0.25
RELEASES_PER_MONTH: Final = 4
"""Releases with a new image. Each image stays until `scripts/cdk gc` removes it."""
METRICS: Final = 36
"""Custom metrics: those of `lambda_src/metrics.py`, with one set of dimensions each."""
MONITOR_RUNS: Final = 30 * 24
MONITOR_MB: Final = 2048
MONITOR_SECONDS: Final = 5
"""Of a run of the monitor with little traffic, most of which is its start."""
MONITOR_SECONDS_PER_MILLION: Final = 40
"""And for each million predictions of a day, from `scripts/bench monitor`."""
AUDIT_CPU: Final = 0.5
AUDIT_GB: Final = 2
AUDIT_HOURS: Final = 30 * 10 / 60
"""Of the daily audits, if `audit_site` is set. An estimate: ten minutes each, most of which is the
start of the job and the waiting for the Stack Exchange API."""
ALARM_METRICS: Final = 70
"""Metrics of all alarms of `prod`. An alarm with metric math counts each of its metrics; an anomaly
band counts as two more."""
DASHBOARDS: Final = 3
WEB_ACL_RULES: Final = 3
"""Of infra_cdk/web_acl.py."""
BUSIEST_HOUR: Final = 3
"""How many times the month's average the busiest hour has."""
THROTTLE: Final = 50
"""The default `throttle` of infra_cdk/settings.py, in requests a second."""
BATCH_THROTTLE: Final = 2
FEEDBACK_THROTTLE: Final = 20
BATCH_QUESTIONS: Final = 100
"""The most questions of one request to `/predict/batch`."""


class Level(NamedTuple):
    """A level of traffic in a month."""

    name: str
    requests: int
    """Requests to the API."""
    predictions: int
    """Questions in them. A batch has many."""
    cold_share: float
    """The assumed share of requests with a cold start. It is higher when there is less traffic."""
    busiest: float
    """Requests a second in the busiest hour."""

    @classmethod
    def of(cls, name: str, predictions: int, cold_share: float) -> "Level":
        """Return a level at which every request is one question."""
        busiest = predictions / SECONDS * BUSIEST_HOUR
        return cls(name, predictions, predictions, cold_share, busiest)

    @property
    def throttle(self) -> int:
        """The `throttle` that lets the busiest hour through: a multiple of the default."""
        return max(1, math.ceil(self.busiest / THROTTLE)) * THROTTLE


LEVELS: Final = (
    Level.of("10 thousand", 10_000, 0.2),
    Level.of("1 million", 1_000_000, 0.01),
    Level.of("100 million", 100_000_000, 0.001),
)
FULL_THROTTLE: Final = Level(
    "Full throttle",
    (THROTTLE + BATCH_THROTTLE + FEEDBACK_THROTTLE) * SECONDS,
    (THROTTLE + BATCH_THROTTLE * BATCH_QUESTIONS) * SECONDS,
    0.001,
    THROTTLE,
)
"""The worst case of an open API: somebody sends all that the default throttles let through, day and
night, with batches of the most questions."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare no further options for `scripts/bench monthly`."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Calculate the costs, print the table, and return the figures."""
    levels = (*LEVELS, FULL_THROTTLE)
    print(monthly_table(levels))
    return {level.name: monthly(level) for level in levels}


def monthly(level: Level) -> dict[str, float]:
    """Calculate the costs of a month.

    Parameters
    ----------
    level
        The level of traffic.

    Returns
    -------
    dict of str to float
        The cost of each item, in dollars. Items about storage are those of the month
        in which it does not grow any more.
    """
    prices: dict[str, float] = PRICES["operation"]
    memory_gb = MEMORY_MB / 1024
    # X-Ray samples the first request of each second and a twentieth of the others.
    traces = min(level.requests, SECONDS) + 0.05 * max(0, level.requests - SECONDS)
    log_gb = (level.predictions * PREDICTION_LOG_BYTES + level.requests * REQUEST_LOG_BYTES) / 1e9
    watching = (
        METRICS * prices["metric_month"]
        + ALARM_METRICS * prices["alarm_metric_month"]
        + prices["composite_alarm_month"]
        + DASHBOARDS * prices["dashboard_month"]
        + prices["key_month"]
    )
    return {
        "Requests and compute (Lambda, HTTP API)": _requests_and_compute(level),
        "Snapshots kept": VERSIONS * memory_gb * SECONDS * prices["snapshot_gb_second"],
        "Snapshots restored": level.requests * level.cold_share * memory_gb * prices["restored_gb"],
        "Logs, written": log_gb * prices["log_gb"],
        "Logs, stored for three months": log_gb
        * LOG_COMPRESSED
        * RETENTION_MONTHS
        * prices["log_stored_gb_month"],
        "Event store": _event_store(level),
        "Monitor": _monitor(level),
        "Audit, by setting": _audit(),
        "Traces": traces / 1e6 * prices["million_traces"],
        "Data transfer out": level.predictions * ANSWER_BYTES / 1e9 * prices["transfer_gb"],
        "Metrics, alarms, dashboards, key": watching,
        "Images of a year": RELEASES_PER_MONTH * 12 * IMAGE_GB * prices["image_gb_month"],
    }


def _requests_and_compute(level: Level) -> float:
    """Return the cost of Lambda and the HTTP API. Lambda bills whole milliseconds."""
    questions = level.predictions / level.requests
    billed_ms = math.ceil(HANDLER_MS * questions * max(1, FULL_CORE_MB / MEMORY_MB))
    gb_seconds = level.requests * billed_ms / 1000 * MEMORY_MB / 1024
    per_gb_second: float = PRICES["lambda_gb_second"]["arm64"]
    per_million: float = PRICES["lambda_million_requests"] + PRICES["http_api_million_requests"]
    return gb_seconds * per_gb_second + level.requests / 1e6 * per_million


def _event_store(level: Level) -> float:
    """Return the cost of copying the events from the log to S3, and of keeping them."""
    prices: dict[str, float] = PRICES["operation"]
    batches = min(level.predictions, BATCHES_PER_SECOND * SECONDS)
    gb_seconds = batches * ARCHIVE_MS / 1000 * ARCHIVE_MB / 1024
    stored_gb = level.predictions * EVENT_BYTES / 1e9 * RETENTION_MONTHS
    cost: float = (
        batches / 1e6 * (PRICES["lambda_million_requests"] + prices["million_s3_writes"])
        + gb_seconds * PRICES["lambda_gb_second"]["arm64"]
        + batches * ARCHIVE_LOG_BYTES / 1e9 * prices["log_gb"]
        + stored_gb * prices["s3_gb_month"]
    )
    return cost


def _monitor(level: Level) -> float:
    """Return the cost of the monitor's hourly runs. They read the events within the region."""
    per_day = level.predictions / 30
    seconds = MONITOR_SECONDS + per_day / 1e6 * MONITOR_SECONDS_PER_MILLION
    gb_seconds = MONITOR_RUNS * seconds * MONITOR_MB / 1024
    per_gb_second: float = PRICES["lambda_gb_second"]["arm64"]
    return gb_seconds * per_gb_second


def _audit() -> float:
    """Return the cost of the daily audits. It does not depend on the traffic."""
    prices: dict[str, float] = PRICES["operation"]
    per_hour = (
        AUDIT_CPU * prices["fargate_cpu_hour"]
        + AUDIT_GB * prices["fargate_gb_hour"]
        + prices["public_address_hour"]
    )
    return AUDIT_HOURS * per_hour


def cloudfront(level: Level) -> float:
    """Return what the setting `web_acl_arn` costs besides, in dollars a month."""
    prices: dict[str, float] = PRICES["operation"]
    per_million = prices["million_waf_requests"] + prices["million_cloudfront_requests"]
    rules = WEB_ACL_RULES * prices["web_acl_rule_month"]
    fixed = prices["web_acl_month"] + rules + prices["secret_month"]
    return fixed + level.requests / 1e6 * per_million


def monthly_table(levels: tuple[Level, ...]) -> str:
    """Format the costs of the levels side by side, with their sums and what they need.

    Parameters
    ----------
    levels
        The levels of traffic.
    """
    months = [monthly(level) for level in levels]
    rows = [[item, *(f"${month[item]:,.2f}" for month in months)] for item in months[0]]
    rows.append(["Total", *(f"${sum(month.values()):,.2f}" for month in months)])
    rows.append(
        ["CloudFront and WAF, by setting", *(f"${cloudfront(level):,.2f}" for level in levels)]
    )
    rows.append(
        ["Requests a second in the busiest hour", *(f"{level.busiest:,.2f}" for level in levels)]
    )
    rows.append(["The throttle for it", *(f"{level.throttle}" for level in levels)])
    return table(["Predictions per month", *(level.name for level in levels)], rows)
