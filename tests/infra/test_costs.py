"""The monthly costs count what is deployed, and the page shows what the command prints."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from infra_cdk import web_acl
from infra_cdk.runbook import WITH_EVERY_ALARM
from infra_cdk.settings import ENVIRONMENTS, Settings
from lambda_src import metrics
from lambda_src.api.schemas import MAX_BATCH
from scripts.benchmarks import monthly
from scripts.benchmarks.costs import PRICES
from tests.infra.synthesis import WITH_ADDRESS, Synthesize
from tests.support.paths import ROOT

DOLLAR = 1.0
"""How much the costs of alarms and metrics may differ before the page must be written again."""
EVERY_LEVEL = (*monthly.LEVELS, monthly.FULL_THROTTLE)


def test_the_page_shows_what_the_command_prints() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert monthly.monthly_table(EVERY_LEVEL) in page, (
        "docs/operate.md shows other costs: copy the table that scripts/bench monthly prints"
    )
    assert f"prices of {PRICES['date']}" in page


def test_what_is_watched_is_counted(synthesize: Synthesize) -> None:
    prod = synthesize("prod", **WITH_EVERY_ALARM)
    counted = 0
    for alarm in prod.properties("AWS::CloudWatch::Alarm"):
        queries = [each for each in alarm.get("Metrics", []) if "MetricStat" in each]
        counted += len(queries) or 1
        counted += 2 if "ThresholdMetricId" in alarm else 0
    prices = PRICES["operation"]
    assert abs(counted - monthly.ALARM_METRICS) * prices["alarm_metric_month"] <= DOLLAR
    custom = set(metrics.all_metrics())
    assert abs(len(custom) - monthly.METRICS) * prices["metric_month"] <= DOLLAR
    assert len(prod.resources("AWS::CloudWatch::CompositeAlarm")) == 1
    assert len(prod.resources("AWS::CloudWatch::Dashboard")) == monthly.DASHBOARDS
    assert len(prod.resources("AWS::KMS::Key")) == 1
    job = prod.only("AWS::ECS::TaskDefinition", "Audit")["Properties"]
    assert int(job["Cpu"]) == monthly.AUDIT_CPU * 1024
    assert int(job["Memory"]) == monthly.AUDIT_GB * 1024
    function = prod.only("AWS::Lambda::Function", "Function")["Properties"]
    assert function["MemorySize"] == monthly.MEMORY_MB


def test_the_costs_of_cloudfront_are_those_that_the_page_names(tmp_path: Path) -> None:
    acl = Template.from_stack(web_acl.compose(App(outdir=str(tmp_path), analytics_reporting=False)))
    ((_, found),) = acl.find_resources("AWS::WAFv2::WebACL").items()
    assert len(found["Properties"]["Rules"]) == monthly.WEB_ACL_RULES
    quiet = monthly.LEVELS[0]
    fixed = monthly.cloudfront(quiet._replace(requests=0))
    million = monthly.cloudfront(quiet._replace(requests=1_000_000)) - fixed
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    assert f"It costs ${fixed:.2f} a month" in page
    assert f"${million:.2f} per million requests" in page


def test_the_worst_case_is_what_the_throttles_let_through() -> None:
    settings: Settings = ENVIRONMENTS["prod"](**WITH_ADDRESS)
    rates = (settings.throttle.rate, settings.batch_throttle.rate, settings.feedback_throttle.rate)
    assert rates == (monthly.THROTTLE, monthly.BATCH_THROTTLE, monthly.FEEDBACK_THROTTLE)
    assert monthly.BATCH_QUESTIONS == MAX_BATCH
    assert monthly.FULL_THROTTLE.requests == sum(rates) * monthly.SECONDS
    assert settings.log_retention is logs.RetentionDays.THREE_MONTHS
    assert settings.event_retention_days == 90
    assert monthly.RETENTION_MONTHS == 3


def test_each_level_fits_the_throttle_that_the_page_names() -> None:
    settings: Settings = ENVIRONMENTS["prod"](**WITH_ADDRESS)
    assert [level.throttle for level in monthly.LEVELS] == [50, 50, 150]
    for level in monthly.LEVELS:
        assert level.busiest <= level.throttle
        assert level.throttle % settings.throttle.rate == 0


def test_more_traffic_costs_more_and_nothing_is_free() -> None:
    months = [monthly.monthly(level) for level in EVERY_LEVEL]
    assert all(value > 0 for month in months for value in month.values())
    sums = [sum(month.values()) for month in months]
    assert sums == sorted(sums)


def test_a_full_throttle_costs_more_than_the_budget_which_must_warn() -> None:
    worst = sum(monthly.monthly(monthly.FULL_THROTTLE).values())
    assert worst > ENVIRONMENTS["prod"](**WITH_ADDRESS).monthly_budget_usd
