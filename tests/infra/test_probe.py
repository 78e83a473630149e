"""The optional probe from outside: where it is, what it asks, and whom its alarm pages."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint_file

from infra_cdk.probe import Probe
from infra_cdk.settings import SettingsError

GIVEN: dict[str, Any] = {"host": "tags.example.org", "alarm_email": "pager@example.org"}


def synthesize(folder: Path, **given: Any) -> tuple[Probe, Template]:
    app = App(outdir=str(folder), analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    probe = Probe(app, **(GIVEN | given))
    app.synth()
    return probe, Template.from_stack(probe)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesize(tmp_path_factory.mktemp("probe"))[1]


def test_cfn_lint_finds_nothing(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "probe.template.json"
    path.write_text(json.dumps(template.to_json()))
    found = lint_file(path, config=ManualArgs(regions=["us-east-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def test_it_is_where_route_53_publishes_its_metrics(tmp_path: Path) -> None:
    probe, _ = synthesize(tmp_path)
    assert (probe.region, probe.stack_name) == ("us-east-1", "etiquette-prod-probe")


def test_it_asks_the_public_address_with_tls(template: Template) -> None:
    ((_, check),) = template.find_resources("AWS::Route53::HealthCheck").items()
    asked = check["Properties"]["HealthCheckConfig"]
    assert asked["Type"] == "HTTPS"
    assert asked["FullyQualifiedDomainName"] == "tags.example.org"
    assert (asked["Port"], asked["ResourcePath"]) == (443, "/health")
    assert asked["EnableSNI"] is True


def test_its_alarm_pages(template: Template) -> None:
    ((topic, _),) = template.find_resources("AWS::SNS::Topic").items()
    ((_, alarm),) = template.find_resources("AWS::CloudWatch::Alarm").items()
    properties = alarm["Properties"]
    assert properties["AlarmName"] == "etiquette-prod-public-probe"
    assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": topic}]
    assert properties["TreatMissingData"] == "breaching"
    ((_, subscription),) = template.find_resources("AWS::SNS::Subscription").items()
    assert subscription["Properties"]["Endpoint"] == "pager@example.org"


def test_it_watches_the_certificate_of_cloudfront(tmp_path: Path) -> None:
    certificate = "arn:aws:acm:us-east-1:111122223333:certificate/0-1"
    _, template = synthesize(tmp_path, certificate_arn=certificate)
    alarms = {
        each["Properties"]["AlarmName"]: each["Properties"]
        for each in template.find_resources("AWS::CloudWatch::Alarm").values()
    }
    assert set(alarms) == {"etiquette-prod-public-probe", "etiquette-prod-certificate-expiry"}
    expiry = alarms["etiquette-prod-certificate-expiry"]
    assert expiry["Dimensions"] == [{"Name": "CertificateArn", "Value": certificate}]
    assert expiry["AlarmActions"] != alarms["etiquette-prod-public-probe"]["AlarmActions"]
    template.resource_count_is("AWS::SNS::Subscription", 2)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"host": "https://tags.example.org"}, "pass a host name"),
        ({"path": "health"}, "a slash"),
        ({"certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/0-1"}, "not in us-east-1"),
    ],
)
def test_a_wrong_setting_is_refused_with_advice(
    given: dict[str, str], advice: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=advice):
        synthesize(tmp_path, **given)
