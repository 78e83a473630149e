"""The monthly costs count what is deployed, and the page shows what the command prints."""

from lambda_src import metrics
from scripts.benchmarks import monthly
from scripts.benchmarks.costs import PRICES
from tests.infra.synthesis import WITH_ADDRESS, Synthesize
from tests.support.paths import ROOT

DOLLAR = 1.0
"""How much the costs of alarms and metrics may differ before the page must be written again."""


def test_the_page_shows_what_the_command_prints() -> None:
    found = {level.name: monthly.monthly(level) for level in monthly.LEVELS}
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert monthly.monthly_table(found) in page


def test_what_is_watched_is_counted(synthesize: Synthesize) -> None:
    prod = synthesize("prod", **WITH_ADDRESS)
    counted = 0
    for alarm in prod.properties("AWS::CloudWatch::Alarm"):
        queries = [each for each in alarm.get("Metrics", []) if "MetricStat" in each]
        counted += len(queries) or 1
        counted += 2 if "ThresholdMetricId" in alarm else 0
    prices = PRICES["operation"]
    assert abs(counted - monthly.ALARM_METRICS) * prices["alarm_metric_month"] <= DOLLAR
    custom = {value for value in vars(metrics).values() if type(value) is metrics.Metric}
    assert abs(len(custom) - monthly.METRICS) * prices["metric_month"] <= DOLLAR
    assert len(prod.resources("AWS::CloudWatch::Dashboard")) == monthly.DASHBOARDS
    assert len(prod.resources("AWS::KMS::Key")) == 1
    function = prod.only("AWS::Lambda::Function", "Function")["Properties"]
    assert function["MemorySize"] == monthly.MEMORY_MB


def test_more_traffic_costs_more_and_nothing_is_free() -> None:
    months = [monthly.monthly(level) for level in monthly.LEVELS]
    assert all(value > 0 for month in months for value in month.values())
    sums = [sum(month.values()) for month in months]
    assert sums == sorted(sums)
