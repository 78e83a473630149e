"""Rules for every resource of the stack, with all combinations of settings."""

import json
import re
from collections.abc import Iterator
from typing import Any

from cfnlint.api import ManualArgs, lint_file

from tests.infra.synthesis import COMBINATIONS, WITH_ADDRESS, Synthesize, Synthesized

POLICIES = {
    "AWS::IAM::Role": ("Policies", "AssumeRolePolicyDocument"),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::KMS::Key": ("KeyPolicy",),
}
"""The properties that contain policies. A test fails for a type with a policy that is not here."""
ON_EVERYTHING = {
    # Actions without resource-level permissions (Service Authorization Reference).
    "xray:PutTraceSegments": "X-Ray has no resource-level permissions for it",
    "xray:PutTelemetryRecords": "X-Ray has no resource-level permissions for it",
    "cloudwatch:DescribeAlarms": "AWS's own policy for CodeDeploy grants it on *, too",
    "cloudwatch:GetMetricStatistics": "CloudWatch has no resource-level permissions for metrics",
    "ecr:GetAuthorizationToken": "ECR has no resource-level permissions for it",
    **dict.fromkeys(
        (
            *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
            *("logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
            *("logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
            *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
        ),
        "Step Functions needs it for its log and traces; there are no resource-level permissions",
    ),
}
OF_ONE_PARENT = {
    "ecs:StopTask": "AWS chooses the names of the tasks of the cluster",
    "ecs:DescribeTasks": "AWS chooses the names of the tasks of the cluster",
    "states:DescribeExecution": "AWS chooses the names of the executions of the state machine",
    "states:StopExecution": "AWS chooses the names of the executions of the state machine",
}
"""Actions on everything below one resource that the stack names."""
IN_ONE_FOLDER = {
    "s3:GetObject": "the names of events and reports depend on their contents or days",
    "s3:PutObject": "the names of events and reports depend on their contents or days",
    "s3:DeleteObject": "the merge replaces many small files by one",
}
"""Actions on all files of one folder of the event store."""
ON_EVERY_VERSION = {
    "lambda:GetProvisionedConcurrencyConfig": "CodeDeploy goes back to an earlier version",
}
UNTAGGED = {
    "AWS::ApiGatewayV2::ApiMapping": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Authorizer": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Integration": "CloudFormation gives it no tags",
    "AWS::ApiGatewayV2::Route": "CloudFormation gives it no tags",
    "AWS::EC2::Route": "an entry of a route table",
    "AWS::EC2::SubnetRouteTableAssociation": "a property of the subnet",
    "AWS::EC2::VPCGatewayAttachment": "a property of the network",
    "AWS::IAM::Policy": "a property of the role",
    "AWS::Lambda::Alias": "CloudFormation gives it no tags",
    "AWS::Lambda::EventInvokeConfig": "a setting of the alias",
    "AWS::Lambda::Permission": "a statement of the alias",
    "AWS::Lambda::Version": "a state of the function",
    "AWS::Logs::SubscriptionFilter": "CloudFormation gives it no tags",
    "AWS::Logs::QueryDefinition": "CloudFormation gives it no tags",
    "AWS::Route53::RecordSet": "an entry of a zone",
    "AWS::S3::BucketPolicy": "a property of the bucket",
    "AWS::SNS::Subscription": "CloudFormation gives it no tags",
    "AWS::SNS::TopicPolicy": "a property of the topic",
}
OF_VALUE = {"AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::KMS::Key"}


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """All statements of a policy, or of a list of inline policies."""
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
    """All statements that allow something, with the name and the type of their resource."""
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
            # The account needs all permissions for its key; GenerateDataKey has several forms.
            mine = ":root" in json.dumps(statement["Principal"])
            allowed = {"kms:*"} if mine else {"kms:GenerateDataKey*"}
        assert {action for action in actions if "*" in action} <= allowed, (name, statement)
        if kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for resource in listed(statement.get("Resource", [])):
                if "*" in json.dumps(resource):
                    one_function = ':*"' in json.dumps(resource) and "Fn::GetAtt" in str(resource)
                    one_folder = re.search(r'"/[a-z_]+/\*"', json.dumps(resource))
                    reasons = ON_EVERY_VERSION if one_function else ON_EVERYTHING
                    reasons = IN_ONE_FOLDER if one_folder else reasons
                    if re.search(r":(task|execution)[:/]", json.dumps(resource)):
                        reasons = OF_ONE_PARENT
                    assert set(actions) <= set(reasons), (name, statement)
        assert '"*"' not in json.dumps(statement.get("Principal", "")), (name, statement)
    assert seen >= 4


def test_every_policy_is_in_a_property_that_these_tests_check(combination: Synthesized) -> None:
    for name, resource in combination.template.to_json()["Resources"].items():
        if re.search(r'"(Statement|ManagedPolicyArns)":', json.dumps(resource)):
            assert resource["Type"] in POLICIES, name
        assert "ManagedPolicyArns" not in resource.get("Properties", {}), name


def test_only_the_stacks_own_api_may_invoke_the_function(combination: Synthesized) -> None:
    ((api, _),) = combination.template.find_resources("AWS::ApiGatewayV2::Api").items()
    for permission in combination.properties("AWS::Lambda::Permission"):
        if permission["Principal"] == "apigateway.amazonaws.com":
            # The pattern after the API's id covers all stages and methods; the API has one stage.
            assert {"Ref": api} in permission["SourceArn"]["Fn::Join"][1]
        assert "SourceArn" in permission


def test_every_resource_has_the_tags_of_the_deployment(combination: Synthesized) -> None:
    for name, resource in combination.template.to_json()["Resources"].items():
        properties = resource.get("Properties", {})
        tags = properties.get("Tags", properties.get("ResourceTags", []))
        found = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        if resource["Type"] in UNTAGGED:
            assert not found, f"{resource['Type']} can have tags now: remove it from UNTAGGED"
        else:
            assert found["service"] == "etiquette", name
            assert found["environment"] in ("dev", "prod", "emulator"), name


def test_prod_keeps_logs_and_keys_when_the_stack_is_deleted(synthesize: Synthesize) -> None:
    prod = synthesize("prod", **WITH_ADDRESS)
    manifest = json.loads((prod.assembly / "manifest.json").read_text())
    assert manifest["artifacts"]["etiquette-prod"]["properties"]["terminationProtection"] is True
    for name, resource in prod.template.to_json()["Resources"].items():
        if resource["Type"] in OF_VALUE:
            assert resource["DeletionPolicy"] in ("Retain", "RetainExceptOnCreate"), name


def test_dev_keeps_only_versions_their_roles_and_the_events(synthesized: Synthesized) -> None:
    kept = ("AWS::Lambda::Version", "AWS::IAM::Role", "AWS::S3::Bucket")
    for name, resource in synthesized.template.to_json()["Resources"].items():
        if resource.get("DeletionPolicy", "Delete") != "Delete":
            assert resource["Type"] in kept, name


def test_the_environment_decides_how_long_logs_are_kept(synthesize: Synthesize) -> None:
    for environment, days in {"dev": 30, "prod": 90}.items():
        for group in synthesize(environment, **WITH_ADDRESS).properties("AWS::Logs::LogGroup"):
            assert group["RetentionInDays"] == days


def test_one_environment_has_the_budget_of_the_account(
    synthesized: Synthesized, synthesize: Synthesize
) -> None:
    synthesized.template.resource_count_is("AWS::Budgets::Budget", 0)
    synthesize(**WITH_ADDRESS).template.resource_count_is("AWS::Budgets::Budget", 0)
    synthesize("prod", **WITH_ADDRESS).template.resource_count_is("AWS::Budgets::Budget", 1)
    budget = synthesize(**WITH_ADDRESS, monthly_budget_usd=7).only("AWS::Budgets::Budget")[
        "Properties"
    ]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 7, "Unit": "USD"}
    # A filter by tag would match nothing until somebody activates the tag for billing.
    assert "CostFilters" not in budget["Budget"]
    for notified in budget["NotificationsWithSubscribers"]:
        (subscriber,) = notified["Subscribers"]
        assert subscriber["Address"] == WITH_ADDRESS["alarm_email"]


def test_two_environments_share_no_name(synthesize: Synthesize) -> None:
    """Otherwise they could not be deployed to one account."""
    one, other = (synthesize(name, **WITH_ADDRESS).template.to_json() for name in ("dev", "prod"))
    fixed = re.compile(r'"(?:[A-Za-z]*Name|Path)": "([^"]*etiquette[^"]*)"')
    assert not set(fixed.findall(json.dumps(one))) & set(fixed.findall(json.dumps(other)))


def test_cfn_lint_finds_nothing(combination: Synthesized) -> None:
    (path,) = combination.assembly.glob("*.template.json")
    ignored = ["W3005"]  # the CDK adds dependencies that a reference implies already
    if "emulator" in path.name:
        # Resources are switched off on purpose, and references to them resolve to nothing.
        ignored += ["W8003", "W1001"]
    found = lint_file(path, config=ManualArgs(ignore_checks=ignored, regions=["eu-west-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def test_the_combinations_cover_the_settings() -> None:
    covered = {name for given in COMBINATIONS.values() for name in given}
    assert {"auth", "domain_name", "cors_origins", "architecture", "open_pages"} <= covered
    assert "web_acl_arn" in covered
