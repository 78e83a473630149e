"""The roles for deployments from GitHub: who may assume them, and what they may do."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint_file

from infra_cdk.delivery import Delivery
from infra_cdk.settings import SettingsError

PROVIDER = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"


def synthesize(folder: Path, **given: Any) -> Template:
    app = App(outdir=str(folder), analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return Template.from_stack(Delivery(app, **given))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return synthesize(tmp_path_factory.mktemp("delivery"), repository="octo@1/etiquette@23")


def test_cfn_lint_finds_nothing(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "delivery.template.json"
    path.write_text(json.dumps(template.to_json()))
    found = lint_file(path, config=ManualArgs(regions=["eu-west-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def roles(template: Template) -> dict[str, dict[str, Any]]:
    found = template.find_resources("AWS::IAM::Role")
    return {name[:4].rstrip("R"): dict(role["Properties"]) for name, role in found.items()}


def test_trust_names_the_repository_and_the_environment(template: Template) -> None:
    for environment in ("dev", "prod"):
        role = roles(template)[environment.title()]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
        # StringEquals without a pattern excludes branches, forks and other environments.
        assert trust["Condition"] == {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": (
                    f"repo:octo@1/etiquette@23:environment:{environment}"
                ),
            }
        }


def test_the_role_may_assume_the_cdks_roles_and_may_not_move_an_alias(template: Template) -> None:
    for environment, role in roles(template).items():
        granted: dict[str, Any] = {}
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    granted[action] = json.dumps(statement["Resource"])
        assert granted.keys() == {
            "sts:AssumeRole",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListStacks",
            "iam:ListAccountAliases",
            "lambda:GetAlias",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:ListVersionsByFunction",
            "lambda:DeleteFunction",
            "iam:ListRolePolicies",
            "iam:DeleteRolePolicy",
            "iam:DeleteRole",
            "s3:GetObject",
            "logs:FilterLogEvents",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:SetAlarmState",
            "cloudwatch:DescribeAlarmHistory",
            "cloudwatch:GetMetricStatistics",
            "sns:ListSubscriptionsByTopic",
            "execute-api:Invoke",
        }
        assert "*" not in granted["sts:AssumeRole"]
        assert granted["sts:AssumeRole"].count("role/cdk-hnb659fds-") == 3
        stack = f"etiquette-{environment.lower()}"
        # This matches versions only: the ARN of the function itself ends with its name.
        assert f":function:{stack}-*:*" in granted["lambda:DeleteFunction"]
        assert f"role/{stack}-FunctionRole*" in granted["iam:DeleteRole"]


def test_an_account_trusts_only_jobs_of_its_environments(tmp_path: Path) -> None:
    template = synthesize(tmp_path, repository="octo/etiquette", environments=["prod"])
    assert roles(template).keys() == {"Prod"}
    template.resource_count_is("AWS::IAM::Role", 1)


def test_an_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be one of dev, prod"):
        synthesize(tmp_path, repository="octo/etiquette", environments=["staging"])


def test_an_existing_identity_provider_is_used(tmp_path: Path) -> None:
    template = synthesize(tmp_path, repository="octo/etiquette", provider_arn=PROVIDER)
    template.resource_count_is("AWS::IAM::OIDCProvider", 0)
    for role in roles(template).values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Federated": PROVIDER}


@pytest.mark.parametrize("repository", ["", "etiquette", "octo/*", "octo/etiquette:ref", "*/*"])
def test_a_wrong_repository_is_refused(tmp_path: Path, repository: str) -> None:
    with pytest.raises(SettingsError, match="OWNER/NAME"):
        synthesize(tmp_path, repository=repository)
