"""CloudFront and its web ACL, which a setting puts in front of the API."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from cfnlint.api import ManualArgs, lint_file

from infra_cdk.cloudfront_front import ORIGIN_HEADER
from infra_cdk.settings import ENVIRONMENTS, SettingsError
from infra_cdk.web_acl import COSTLY_PATHS, compose
from lambda_src.api import middleware
from lambda_src.api.settings import Settings
from tests.infra.synthesis import (
    WITH_CLOUDFRONT,
    WITH_DOMAIN,
    Synthesize,
    Synthesized,
)

IN_VIRGINIA = {"certificate_arn": "arn:aws:acm:us-east-1:111122223333:certificate/0-1"}


@pytest.fixture(scope="module")
def guarded(synthesize: Synthesize) -> Synthesized:
    return synthesize(**WITH_CLOUDFRONT)


def distribution(synthesized: Synthesized) -> dict[str, Any]:
    found = synthesized.only("AWS::CloudFront::Distribution")["Properties"]["DistributionConfig"]
    return dict(found)


def variables(synthesized: Synthesized) -> dict[str, Any]:
    function = synthesized.only("AWS::Lambda::Function", "Function")["Properties"]
    return dict(function["Environment"]["Variables"])


def test_by_default_there_is_none(synthesized: Synthesized) -> None:
    synthesized.template.resource_count_is("AWS::CloudFront::Distribution", 0)
    synthesized.template.resource_count_is("AWS::SecretsManager::Secret", 0)
    assert "ETIQUETTE_ORIGIN_SECRET" not in variables(synthesized)


def test_cloudfront_sends_the_secret_that_the_function_requires(guarded: Synthesized) -> None:
    (origin,) = distribution(guarded)["Origins"]
    (header,) = origin["OriginCustomHeaders"]
    assert header["HeaderName"] == ORIGIN_HEADER == middleware.ORIGIN_HEADER
    assert header["HeaderValue"] == variables(guarded)["ETIQUETTE_ORIGIN_SECRET"]
    (secret,) = guarded.resources("AWS::SecretsManager::Secret")
    resolved = json.dumps(header["HeaderValue"])
    assert "{{resolve:secretsmanager:" in resolved
    assert secret in resolved
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    (api,) = guarded.resources("AWS::ApiGatewayV2::Api")
    assert {"Ref": api} in origin["DomainName"]["Fn::Join"][1]


def test_the_function_accepts_a_secret_of_the_generated_form(guarded: Synthesized) -> None:
    generated = guarded.only("AWS::SecretsManager::Secret")["Properties"]["GenerateSecretString"]
    assert generated == {"PasswordLength": 48, "ExcludeCharacters": string.punctuation}
    secret = "aZ0" * 16
    environment = {"ETIQUETTE_MODEL": "m", "ETIQUETTE_ORIGIN_SECRET": secret}
    assert Settings.from_environment(environment).origin_secret == secret


def test_every_request_is_forwarded_and_no_answer_is_cached(guarded: Synthesized) -> None:
    assert distribution(guarded)["WebACLId"] == WITH_CLOUDFRONT["web_acl_arn"]
    behavior = distribution(guarded)["DefaultCacheBehavior"]
    assert "CacheBehaviors" not in distribution(guarded)
    assert set(behavior["AllowedMethods"]) >= {"GET", "HEAD", "OPTIONS", "POST"}
    assert behavior["ViewerProtocolPolicy"] == "https-only"
    # The identifiers of the managed policies CachingDisabled and AllViewerExceptHostHeader.
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def test_the_url_is_cloudfront_s(guarded: Synthesized) -> None:
    (name,) = guarded.resources("AWS::CloudFront::Distribution")
    assert guarded.outputs()["ApiUrl"] == {
        "Fn::Join": ["", ["https://", {"Fn::GetAtt": [name, "DomainName"]}]]
    }
    api = guarded.only("AWS::ApiGatewayV2::Api")["Properties"]
    assert api["DisableExecuteApiEndpoint"] is False  # it is CloudFront's origin


def test_a_domain_name_is_cloudfront_s(synthesize: Synthesize) -> None:
    named = synthesize(**WITH_CLOUDFRONT, **WITH_DOMAIN | IN_VIRGINIA)
    assert distribution(named)["Aliases"] == ["tags.example.org"]
    viewer = distribution(named)["ViewerCertificate"]
    assert viewer["AcmCertificateArn"] == IN_VIRGINIA["certificate_arn"]
    assert viewer["MinimumProtocolVersion"] == "TLSv1.2_2021"
    named.template.resource_count_is("AWS::ApiGatewayV2::DomainName", 0)
    (name,) = named.resources("AWS::CloudFront::Distribution")
    records = named.properties("AWS::Route53::RecordSet")
    assert {record["Type"] for record in records} == {"A", "AAAA"}
    for record in records:
        assert record["AliasTarget"]["DNSName"] == {"Fn::GetAtt": [name, "DomainName"]}
    assert named.outputs()["ApiUrl"] == "https://tags.example.org"


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"web_acl_arn": "arn:aws:wafv2:eu-west-1:1:regional/webacl/x/1"}, "output WebAclArn"),
        ({**WITH_CLOUDFRONT, "auth": "iam"}, "Use auth=jwt or auth=none"),
        ({**WITH_CLOUDFRONT, **WITH_DOMAIN}, "must be in us-east-1"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(given: dict[str, Any], advice: str) -> None:
    with pytest.raises(SettingsError, match=advice):
        ENVIRONMENTS["dev"](**given)


def test_the_emulator_has_no_cloudfront() -> None:
    with pytest.raises(SettingsError, match="environment=emulator, which has no CloudFront"):
        ENVIRONMENTS["emulator"](**WITH_CLOUDFRONT)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web-acl")
    app = App(outdir=str(folder), analytics_reporting=False)
    compose(app)
    app.synth()  # fails if cdk-nag has a finding
    return folder


@pytest.fixture(scope="module")
def template(assembly: Path) -> Template:
    return Template.from_string((assembly / "etiquette-web-acl.template.json").read_text())


def test_the_web_acl_is_in_the_region_that_cloudfront_requires(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text())
    environment = manifest["artifacts"]["etiquette-web-acl"]["environment"]
    assert environment == "aws://unknown-account/us-east-1"


def test_the_web_acl_limits_each_address_and_the_costly_routes_more(template: Template) -> None:
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    assert acl["Properties"]["Scope"] == "CLOUDFRONT"
    assert acl["Properties"]["DefaultAction"] == {"Allow": {}}
    limits = [
        rule["Statement"]["RateBasedStatement"]
        for rule in acl["Properties"]["Rules"]
        if "Action" in rule
    ]
    assert {each["AggregateKeyType"] for each in limits} == {"IP"}
    costly, everything = limits
    assert costly["Limit"] < everything["Limit"]
    assert "ScopeDownStatement" not in everything
    assert {f"POST {path}" for path in COSTLY_PATHS} == middleware.ROUTES_WITH_OWN_THROTTLE
    for path in COSTLY_PATHS:
        assert path in json.dumps(costly["ScopeDownStatement"])


def test_a_limited_client_gets_429_and_a_problem(template: Template) -> None:
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    for rule in acl["Properties"]["Rules"]:
        if "Action" in rule:
            answer = rule["Action"]["Block"]["CustomResponse"]
            assert answer["ResponseCode"] == 429
            body = acl["Properties"]["CustomResponseBodies"][answer["CustomResponseBodyKey"]]
            assert json.loads(body["Content"])["status"] == 429
            headers = {each["Name"]: each["Value"] for each in answer["ResponseHeaders"]}
            assert headers == {
                "retry-after": "300",
                "access-control-allow-origin": "*",
                "access-control-expose-headers": "retry-after",
            }


def test_the_web_acl_inspects_no_content(template: Template) -> None:
    """AWS's common rules would block questions about HTML, SQL or shell commands."""
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    groups = [
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]
        for rule in acl["Properties"]["Rules"]
        if "OverrideAction" in rule
    ]
    assert groups == ["AWSManagedRulesAmazonIpReputationList"]
    statements = [rule["Statement"] for rule in acl["Properties"]["Rules"]]
    assert "Body" not in json.dumps(statements)


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    path = assembly / "etiquette-web-acl.template.json"
    assert lint_file(path, config=ManualArgs(regions=["us-east-1"])) == []
