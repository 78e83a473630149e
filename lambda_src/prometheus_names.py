"""The names and histograms of the metrics in Prometheus, for the server and for the alert rules.

A metric has the same meaning in CloudWatch and in Prometheus. Only the name follows Prometheus's
conventions ("Metric and label naming", https://prometheus.io/docs/practices/naming/).
"""

import re
from typing import Final

from lambda_src import metrics
from lambda_src.metrics import Metric

JOB: Final = "etiquette"
"""The job of the scrape configuration, which every rule uses."""
REQUESTS: Final = "etiquette_requests_total"
"""Answered requests by `STATUS_LABEL`: what API Gateway counts as Count, 4xx and 5xx."""
REQUEST_SECONDS: Final = "etiquette_request_duration_seconds"
"""A histogram of the time until an answer is complete: what API Gateway measures as Latency."""
STATUS_LABEL: Final = "status"
STATUS_CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")
REQUEST_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0)
"""The upper bounds of the histogram `REQUEST_SECONDS`, in seconds."""

_SHARES: Final = tuple(step / 20 for step in range(1, 21))
BUCKETS: Final[dict[Metric, tuple[float, ...]]] = {
    metrics.TAGS_PER_PREDICTION: (0, 1, 2, 3, 4, 5),
    metrics.MODEL_LATENCY: (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    metrics.TOP_CONFIDENCE: _SHARES,
    metrics.UNKNOWN_WORD_SHARE: (0, *_SHARES),
}
"""The upper bounds of each metric that is a histogram, in Prometheus's units.

All other metrics are counters. The limit of an alarm on a percentile must be one of the bounds:
Prometheus only knows in which bucket a percentile lies.
"""
_SCALES: Final = {"Milliseconds": ("_seconds", 0.001)}
"""The ending of the name, and the factor, for CloudWatch's units that Prometheus does not use."""


def prometheus_name(metric: Metric) -> str:
    """Return the name of a metric in Prometheus.

    Examples
    --------
    >>> prometheus_name(metrics.PREDICTIONS_WITH_TAGS)
    'etiquette_predictions_with_tags_total'
    >>> prometheus_name(metrics.MODEL_LATENCY)
    'etiquette_model_latency_seconds'
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric.name).lower()
    ending, _ = _SCALES.get(metric.unit, ("" if metric in BUCKETS else "_total", 1.0))
    return f"{metrics.NAMESPACE.lower()}_{words}{ending}"


def scale(metric: Metric) -> float:
    """Return the factor from the metric's unit in CloudWatch to its unit in Prometheus."""
    return _SCALES.get(metric.unit, ("", 1.0))[1]
