"""The HTTP front: authorization, throttles, domain name and access log."""

import json
from typing import Any

import pytest

from infra_cdk.settings import Throttle
from lambda_src.api.middleware import ROUTES_WITH_OWN_THROTTLE
from tests.infra.synthesis import WITH_DOMAIN, WITH_ORIGINS, WITH_TOKENS, Synthesize, Synthesized

STAGE = "AWS::ApiGatewayV2::Stage"
PREFLIGHTS = {"OPTIONS /", "OPTIONS /{proxy+}"}
PAGES = {
    f"{method} {path}"
    for method in ("GET", "HEAD")
    for path in ("/", "/page.css", "/page.js", "/docs", "/openapi.json")
}
ALWAYS = {"$default", "POST /predict/batch", "POST /feedback"}


def routes(synthesized: Synthesized) -> dict[str, str]:
    """The type of authorization of each route."""
    found = synthesized.properties("AWS::ApiGatewayV2::Route")
    return {route["RouteKey"]: route["AuthorizationType"] for route in found}


def test_every_route_is_throttled(synthesized: Synthesized) -> None:
    stage = synthesized.only(STAGE)
    assert stage["Properties"]["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": 100,
        "ThrottlingRateLimit": 50,
    }
    own = stage["Properties"]["RouteSettings"]
    # The function refuses these paths on other routes, which do not have this throttle.
    assert set(own) == ROUTES_WITH_OWN_THROTTLE == ALWAYS - {"$default"}
    for limits in own.values():
        assert 0 < limits["ThrottlingRateLimit"] < 50
    # API Gateway refuses settings for a route that does not exist yet.
    made_first = stage["DependsOn"]
    for name, route in synthesized.template.find_resources("AWS::ApiGatewayV2::Route").items():
        assert (route["Properties"]["RouteKey"] in own) == (name in made_first)


def test_a_throttle_is_a_setting(synthesize: Synthesize) -> None:
    stage = synthesize(feedback_throttle=Throttle(rate=7, burst=9)).only(STAGE)
    assert stage["Properties"]["RouteSettings"]["POST /feedback"] == {
        "ThrottlingRateLimit": 7,
        "ThrottlingBurstLimit": 9,
    }


def test_the_access_log_has_no_personal_data(combination: Synthesized) -> None:
    log = combination.only(STAGE)["Properties"]["AccessLogSettings"]
    assert "Arn" in json.dumps(log["DestinationArn"])
    fields = json.loads(log["Format"])
    assert fields["latencyMs"] == "$context.responseLatency"
    assert fields["functionLatencyMs"] == "$context.integrationLatency"
    assert fields["authorizerError"] == "$context.authorizer.error"
    assert fields["integrationRequestId"] == "$context.integration.requestId"
    # What the authorizer knows about the caller is personal; why it refused is not.
    values = " ".join(fields.values()).replace("$context.authorizer.error", "")
    for personal in ("identity", "userAgent", "sourceIp", "queryString", "authorizer", "domain"):
        assert personal not in values


def test_the_access_log_shares_an_entry_of_the_accounts_policy(combination: Synthesized) -> None:
    groups = combination.properties("AWS::Logs::LogGroup")
    (name,) = (each["LogGroupName"] for each in groups if "LogGroupName" in each)
    assert name.startswith("/aws/vendedlogs/etiquette-")


def test_without_auth_no_route_needs_authorization(synthesized: Synthesized) -> None:
    assert routes(synthesized) == dict.fromkeys(ALWAYS, "NONE")
    synthesized.template.resource_count_is("AWS::ApiGatewayV2::Authorizer", 0)


@pytest.mark.parametrize(("given", "asked"), [({"auth": "iam"}, "AWS_IAM"), (WITH_TOKENS, "JWT")])
def test_with_auth_every_route_needs_authorization(
    synthesize: Synthesize, given: dict[str, Any], asked: str
) -> None:
    """This includes the page and the documentation, which only a setting opens."""
    assert routes(synthesize(**given)) == dict.fromkeys(ALWAYS, asked)


@pytest.mark.parametrize(("given", "asked"), [({"auth": "iam"}, "AWS_IAM"), (WITH_TOKENS, "JWT")])
def test_a_preflight_request_needs_no_authorization(
    synthesize: Synthesize, given: dict[str, Any], asked: str
) -> None:
    found = routes(synthesize(**given, **WITH_ORIGINS))
    assert found == dict.fromkeys(ALWAYS, asked) | dict.fromkeys(PREFLIGHTS, "NONE")


def test_a_setting_opens_the_pages(synthesize: Synthesize) -> None:
    found = routes(synthesize(**WITH_TOKENS, open_pages=True))
    assert found == dict.fromkeys(ALWAYS, "JWT") | dict.fromkeys(PAGES, "NONE")


def test_a_token_is_checked_for_issuer_and_audience(synthesize: Synthesize) -> None:
    authorizer = synthesize(**WITH_TOKENS).only("AWS::ApiGatewayV2::Authorizer")["Properties"]
    assert authorizer["JwtConfiguration"] == {
        "Issuer": "https://id.example.org/pool",
        "Audience": ["web", "phone"],
    }
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_the_application_gets_the_cors_origins_and_api_gateway_does_not(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    with_origins = synthesize(**WITH_ORIGINS).only("AWS::Lambda::Function", "Function")[
        "Properties"
    ]["Environment"]
    assert (
        with_origins["Variables"]["ETIQUETTE_CORS_ORIGINS"]
        == "https://example.org,http://localhost:3000"
    )
    without = synthesized.only("AWS::Lambda::Function", "Function")["Properties"]["Environment"]
    assert "ETIQUETTE_CORS_ORIGINS" not in without["Variables"]
    api = synthesize(**WITH_ORIGINS).only("AWS::ApiGatewayV2::Api")["Properties"]
    assert "CorsConfiguration" not in api


def test_a_domain_name_leaves_the_other_address_open(
    synthesize: Synthesize, synthesized: Synthesized
) -> None:
    """Callers can move to the new name before the old one is closed."""
    named = synthesize(**WITH_DOMAIN)
    assert named.only("AWS::ApiGatewayV2::Api")["Properties"]["DisableExecuteApiEndpoint"] is False
    domain = named.only("AWS::ApiGatewayV2::DomainName")["Properties"]
    (configuration,) = domain["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    assert configuration["CertificateArn"] == WITH_DOMAIN["certificate_arn"]
    records = named.properties("AWS::Route53::RecordSet")
    assert {record["Type"] for record in records} == {"A", "AAAA"}
    for record in records:
        assert (record["Name"], record["HostedZoneId"]) == ("tags.example.org.", "Z111122223333")
    assert named.outputs()["ApiUrl"] == "https://tags.example.org"
    assert named.outputs()["ExecuteApiUrl"] == synthesized.outputs()["ApiUrl"]
    synthesized.template.resource_count_is("AWS::ApiGatewayV2::DomainName", 0)


def test_a_second_setting_closes_the_other_address(synthesize: Synthesize) -> None:
    closed = synthesize(**WITH_DOMAIN, disable_execute_api_endpoint=True)
    assert closed.only("AWS::ApiGatewayV2::Api")["Properties"]["DisableExecuteApiEndpoint"] is True
    assert closed.outputs()["ApiUrl"] == "https://tags.example.org"
    assert "ExecuteApiUrl" not in closed.outputs()


def test_the_outputs_say_where_dns_records_must_point(synthesize: Synthesize) -> None:
    given = {name: value for name, value in WITH_DOMAIN.items() if name != "hosted_zone_id"}
    named = synthesize(**given)
    ((domain, _),) = named.resources("AWS::ApiGatewayV2::DomainName").items()
    outputs = named.outputs()
    assert outputs["DomainTarget"] == {"Fn::GetAtt": [domain, "RegionalDomainName"]}
    assert outputs["DomainTargetZoneId"] == {"Fn::GetAtt": [domain, "RegionalHostedZoneId"]}


def test_without_a_zone_there_are_no_dns_records(synthesize: Synthesize) -> None:
    given = {name: value for name, value in WITH_DOMAIN.items() if name != "hosted_zone_id"}
    synthesize(**given).template.resource_count_is("AWS::Route53::RecordSet", 0)
