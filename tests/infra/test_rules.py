"""Rules that hold for whatever is in the stack, with every choice of settings."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cfnlint.api import ManualArgs, lint_file

from tests.infra.synthesis import COMBINATIONS, TOLD, Synthesize, Synthesized

POLICIES = {
    "AWS::IAM::Role": ("Policies", "AssumeRolePolicyDocument"),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::KMS::Key": ("KeyPolicy",),
}
"""Where policies stand. A kind that is not here and has one is a failure below."""
ON_EVERYTHING = {
    # What AWS grants on all resources or not at all (Service Authorization Reference).
    "xray:PutTraceSegments": "X-Ray knows no resources",
    "xray:PutTelemetryRecords": "X-Ray knows no resources",
    "cloudwatch:DescribeAlarms": "a list, on * in AWS's own policy for CodeDeploy, too",
}
ON_EVERY_VERSION = {
    "lambda:GetProvisionedConcurrencyConfig": "CodeDeploy goes back to one that is not named",
}
UNTAGGED = {
    "AWS::ApiGatewayV2::ApiMapping": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Authorizer": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Integration": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Route": "CloudFormation gives it no tags",
    "AWS::Lambda::Alias": "CloudFormation gives it no tags",
    "AWS::Lambda::EventInvokeConfig": "a setting of the alias",
    "AWS::Lambda::Permission": "a statement of the alias",
    "AWS::Lambda::Version": "a state of the function",
    "AWS::Route53::RecordSet": "a line of a zone",
    "AWS::SNS::Subscription": "CloudFormation gives it no tags",
    "AWS::SNS::TopicPolicy": "a property of the topic",
}
OF_VALUE = {"AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::KMS::Key"}


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every statement of a policy, or of a list of inline policies."""
    if isinstance(value, list):
        for each in value:
            yield from statements(each)
    elif "Statement" in value:
        yield from value["Statement"]
    elif "PolicyDocument" in value:
        yield from statements(value["PolicyDocument"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(synthesized: Synthesized) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every statement of the template that allows something: resource, its kind, statement."""
    for name, resource in synthesized.template.to_json()["Resources"].items():
        kind = resource["Type"]
        for place in POLICIES.get(kind, ()):
            for statement in statements(resource["Properties"].get(place, [])):
                if statement["Effect"] == "Allow":
                    yield name, kind, statement


def test_no_policy_grants_more_than_it_must(combination: Synthesized) -> None:
    seen = 0
    for name, kind, statement in granted(combination):
        seen += 1
        actions = listed(statement["Action"])
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        allowed = set()
        if kind == "AWS::KMS::Key":
            # The account must keep the whole of its own key; GenerateDataKey has several forms.
            mine = ":root" in json.dumps(statement["Principal"])
            allowed = {"kms:*"} if mine else {"kms:GenerateDataKey*"}
        assert {action for action in actions if "*" in action} <= allowed, (name, statement)
        if kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for resource in listed(statement.get("Resource", [])):
                if "*" in json.dumps(resource):
                    one_function = ':*"' in json.dumps(resource) and "Fn::GetAtt" in str(resource)
                    reasons = ON_EVERY_VERSION if one_function else ON_EVERYTHING
                    assert set(actions) <= set(reasons), (name, statement)
        assert '"*"' not in json.dumps(statement.get("Principal", "")), (name, statement)
    assert seen >= 4


def test_policies_stand_where_this_looks_for_them(combination: Synthesized) -> None:
    for name, resource in combination.template.to_json()["Resources"].items():
        if re.search(r'"(Statement|ManagedPolicyArns)":', json.dumps(resource)):
            assert resource["Type"] in POLICIES, name
        assert "ManagedPolicyArns" not in resource.get("Properties", {}), name


def test_only_the_own_api_may_invoke_the_function(combination: Synthesized) -> None:
    ((api, _),) = combination.template.find_resources("AWS::ApiGatewayV2::Api").items()
    for permission in combination.properties("AWS::Lambda::Permission"):
        if permission["Principal"] == "apigateway.amazonaws.com":
            # After the API's identifier: any stage and method, and it has one stage.
            assert {"Ref": api} in permission["SourceArn"]["Fn::Join"][1]
        assert "SourceArn" in permission


def test_everything_carries_the_deployments_tags(combination: Synthesized) -> None:
    for name, resource in combination.template.to_json()["Resources"].items():
        properties = resource.get("Properties", {})
        tags = properties.get("Tags", properties.get("ResourceTags", []))
        found = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        if resource["Type"] in UNTAGGED:
            assert not found, f"{resource['Type']} has tags by now: take it from the list"
        else:
            assert found["service"] == "etiquette", name
            assert found["environment"] in ("dev", "prod", "emulator"), name


def test_nothing_of_value_goes_with_the_stack_in_prod(synthesize: Synthesize) -> None:
    prod = synthesize("prod", **TOLD)
    manifest = json.loads((prod.assembly / "manifest.json").read_text())
    assert manifest["artifacts"]["etiquette-prod"]["properties"]["terminationProtection"] is True
    for name, resource in prod.template.to_json()["Resources"].items():
        if resource["Type"] in OF_VALUE:
            assert resource["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate"), name


def test_dev_leaves_nothing_but_what_releases_need(synthesized: Synthesized) -> None:
    for name, resource in synthesized.template.to_json()["Resources"].items():
        if resource.get("DeletionPolicy", "Delete") != "Delete":
            assert resource["Type"] in ("AWS::Lambda::Version", "AWS::IAM::Role"), name


def test_logs_are_kept_as_long_as_the_environment_says(synthesize: Synthesize) -> None:
    for environment, days in {"dev": 30, "prod": 365}.items():
        for group in synthesize(environment, **TOLD).properties("AWS::Logs::LogGroup"):
            assert group["RetentionInDays"] == days


def test_money_is_watched_where_somebody_hears_of_it(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    synthesized.template.resource_count_is("AWS::Budgets::Budget", 0)
    budget = synthesize(**TOLD, monthly_budget_usd=7).only("AWS::Budgets::Budget")["Properties"]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 7, "Unit": "USD"}
    # A filter by tag would see nothing until somebody activates the tag for billing.
    assert "CostFilters" not in budget["Budget"]
    for notified in budget["NotificationsWithSubscribers"]:
        (subscriber,) = notified["Subscribers"]
        assert subscriber["Address"] == TOLD["alarm_email"]


def test_two_environments_share_no_name(synthesize: Synthesize) -> None:
    """Side by side in one account: what CloudFormation does not name itself tells them apart."""
    one, other = (synthesize(name, **TOLD).template.to_json() for name in ("dev", "prod"))
    fixed = re.compile(r'"(?:[A-Za-z]*Name|Path)": "([^"]*etiquette[^"]*)"')
    assert not set(fixed.findall(json.dumps(one))) & set(fixed.findall(json.dumps(other)))


def test_cfn_lint_finds_nothing(combination: Synthesized) -> None:
    (path,) = combination.assembly.glob("*.template.json")
    ignored = ["W3005"]  # the CDK writes dependencies that a reference has made already
    if "emulator" in path.name:
        # Switched off on purpose, and what refers to it gets a name or nothing there.
        ignored += ["W8003", "W1001"]
    found = lint_file(path, config=ManualArgs(ignore_checks=ignored, regions=["eu-west-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def test_the_combinations_take_every_choice() -> None:
    assert {"auth", "domain_name", "cors_origins", "architecture", "open_pages"} <= {
        name for given in COMBINATIONS.values() for name in given
    }
