"""Every metric that is declared is also published."""

import re

import pytest

from lambda_src import metrics
from tests.support.paths import ROOT

DECLARED = [
    name
    for name, value in vars(metrics).items()
    if type(value) is metrics.Metric or name in {"WINDOW_METRICS", "DRIFT_METRICS"}
]
NAMES = [metric.name for metric in metrics.all_metrics()]


def test_no_two_metrics_have_the_same_name() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("constant", DECLARED)
def test_every_metric_is_published(constant: str) -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "lambda_src").rglob("*.py")
        if path.name != "metrics.py"
    )
    # A function in a zip file cannot import lambda_src, so it repeats the name.
    name = getattr(getattr(metrics, constant), "name", constant)
    assert re.search(rf"\bmetrics\.{constant}\b|\"{name}\"", sources), (
        f"lambda_src/metrics.py declares {constant}, but nothing in lambda_src publishes it: "
        "publish it in lambda_src/api/telemetry.py, or in the function that measures it"
    )
