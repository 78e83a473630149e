"""Roles for deployments from GitHub Actions, which need no stored credentials.

They are a separate stack, which an administrator deploys once per account:

    scripts/cdk deploy --app ".venv/bin/python -m infra_cdk.delivery" -c repository=OWNER/NAME
"""

import re
import sys
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import (
    Acknowledgment,
    App,
    CfnOutput,
    DefaultStackSynthesizer,
    Duration,
    Stack,
    Validations,
)
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from infra_cdk.policies import allow, policy
from infra_cdk.recorded_settings import given_outputs
from infra_cdk.settings import SettingsError, check_one_of

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
ENVIRONMENTS: Final = ("dev", "prod")
_NAME: Final = r"[A-Za-z0-9_.-]+(@\d+)?"


class Delivery(Stack):
    """One role per environment. A job of that environment in the given repository may assume it.

    The role may assume the CDK's own roles. In an account with the CDK's default bootstrap, they
    may do everything, in every environment. To separate environments, give each an account of its
    own, with the role of that environment only. The role's own permissions are to read what a
    release is compared with, to delete old versions and the roles of old releases, and to verify a
    release, for which it sets an alarm. It may not move an alias.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        repository: str,
        service: str = "etiquette",
        provider_arn: str | None = None,
        environments: Sequence[str] = ENVIRONMENTS,
    ) -> None:
        """Create the roles.

        Parameters
        ----------
        scope
            The app.
        repository
            `OWNER/NAME` in the form of the subject of its tokens. Repositories created since the
            summer of 2026 have numbers in it: `OWNER@1234/NAME@5678`.
        service
            The service whose stacks are deployed.
        provider_arn
            The ARN of GitHub's identity provider, if the account has it already. An account can
            have only one.
        environments
            The environments that are deployed to this account.

        Raises
        ------
        SettingsError
            If the repository does not have this form, or an environment does not exist.
        """
        super().__init__(
            scope, f"{service}-delivery", description="Etiquette: deployments from GitHub"
        )
        if not re.fullmatch(f"{_NAME}/{_NAME}", repository):
            raise SettingsError(
                f"repository is {repository!r}: pass -c repository=OWNER/NAME, with the numbers "
                "that the repository's OpenID Connect settings show, if there are any"
            )
        for environment in environments:
            check_one_of("environment", environment, ENVIRONMENTS)
        if provider_arn is None:
            provider_arn = iam.OidcProviderNative(
                self, "GitHub", url=f"https://{ISSUER}", client_ids=[AUDIENCE]
            ).oidc_provider_arn
        for environment in environments:
            principal = iam.WebIdentityPrincipal(
                provider_arn,
                {
                    "StringEquals": {
                        f"{ISSUER}:aud": AUDIENCE,
                        f"{ISSUER}:sub": f"repo:{repository}:environment:{environment}",
                    }
                },
            )
            role = self._role(environment, principal, f"{service}-{environment}")
            CfnOutput(self, f"RoleFor{environment.title()}", value=role.role_arn)

    def _role(self, environment: str, principal: iam.IPrincipal, stack: str) -> iam.Role:
        arn = self.format_arn
        qualifier = DefaultStackSynthesizer.DEFAULT_QUALIFIER
        roles = [
            arn(
                service="iam",
                region="",
                resource="role",
                resource_name=f"cdk-{qualifier}-{name}-role-{self.account}-{self.region}",
            )
            for name in ("deploy", "file-publishing", "image-publishing")
        ]
        # CloudFormation ends the names of resources with random letters.
        function = f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{stack}-*"
        bucket = f"arn:{self.partition}:s3:::cdk-{qualifier}-assets-{self.account}-{self.region}"
        stacks = arn(service="cloudformation", resource="stack", resource_name=f"{stack}/*")
        logs = f"{self._regional('logs')}:log-group:{stack}-*"
        alarms = f"{self._regional('cloudwatch')}:alarm:{stack}-*"
        topics = f"{self._regional('sns')}:{stack}-*"
        # An API has a random name. Only an API with auth=iam asks for this permission.
        api = f"{self._regional('execute-api')}:*/$default/*"
        old_roles = arn(
            service="iam", region="", resource="role", resource_name=f"{stack}-FunctionRole*"
        )
        role = iam.Role(
            self,
            f"{environment.title()}Role",
            assumed_by=principal,
            description=f"Deploys {stack} from GitHub",
            max_session_duration=Duration.hours(2),
            inline_policies={
                "Deploy": policy(allow(["sts:AssumeRole"], roles)),
                # scripts/release compares with these and deletes old versions. The pattern for
                # deletions matches versions only, so that the function itself cannot be deleted.
                "Compare": policy(
                    allow(
                        [
                            "lambda:GetAlias",
                            "lambda:GetFunction",
                            "lambda:GetFunctionConfiguration",
                            "lambda:ListVersionsByFunction",
                        ],
                        [function],
                    )
                ),
                "CompareBundles": policy(allow(["s3:GetObject"], [f"{bucket}/*.safetensors"])),
                "CompareStack": policy(
                    allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], [stacks])
                ),
                # These two have no resource-level permissions. They tell the names of stacks and
                # of the account, which people see before a deployment.
                "Names": policy(
                    allow(["cloudformation:ListStacks", "iam:ListAccountAliases"], ["*"])
                ),
                # Metrics have no resource-level permissions either.
                "VerifyMetric": policy(allow(["cloudwatch:GetMetricStatistics"], ["*"])),
                # scripts/verify looks for its prediction's line, metric and alarm. DescribeAlarms
                # needs * for composite alarms only ("DescribeAlarms",
                # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
                "VerifyLog": policy(allow(["logs:FilterLogEvents"], [logs])),
                "VerifyAlarm": policy(
                    allow(
                        [
                            "cloudwatch:DescribeAlarms",
                            "cloudwatch:SetAlarmState",
                            "cloudwatch:DescribeAlarmHistory",
                        ],
                        [alarms],
                    )
                ),
                "VerifyTopics": policy(allow(["sns:ListSubscriptionsByTopic"], [topics])),
                "VerifyApi": policy(allow(["execute-api:Invoke"], [api])),
                "PruneVersions": policy(allow(["lambda:DeleteFunction"], [f"{function}:*"])),
                "PruneRoles": policy(
                    allow(
                        ["iam:ListRolePolicies", "iam:DeleteRolePolicy", "iam:DeleteRole"],
                        [old_roles],
                    )
                ),
            },
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="Listing names of stacks and of the account, and reading metrics, have no "
                "resource-level permissions.",
            ),
            *(
                Acknowledgment(
                    id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]",
                    reason="CloudFormation ends names with random letters. The part before them "
                    "names the stack of this environment, or the pattern matches bundles only.",
                )
                for resource in _shown(
                    self,
                    function,
                    f"{function}:*",
                    stacks,
                    old_roles,
                    f"{bucket}/*.safetensors",
                    logs,
                    alarms,
                    topics,
                    api,
                )
            ),
        )
        return role

    def _regional(self, service: str) -> str:
        """Return the beginning of the ARNs of a service."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}"


def _shown(stack: Stack, *arns: str) -> list[str]:
    """Write ARNs in the form of cdk-nag's findings, with references in angle brackets."""

    def text(part: Any) -> str:
        return f"<{part['Ref']}>" if isinstance(part, dict) else str(part)

    resolved = [stack.resolve(arn) for arn in arns]
    return [
        "".join(map(text, arn["Fn::Join"][1])) if isinstance(arn, dict) else arn for arn in resolved
    ]


def main() -> None:
    """Synthesize the stack for the repository in the CDK context."""
    app = App()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    names = ("repository", "service", "provider_arn", "environment")
    given, outputs = given_outputs(app.node, names)
    environment = given.get("environment")
    try:
        delivery = Delivery(
            app,
            repository=given.get("repository", ""),
            service=given.get("service", "etiquette"),
            provider_arn=given.get("provider_arn"),
            environments=ENVIRONMENTS if environment is None else [environment],
        )
    except SettingsError as error:
        sys.exit(f"etiquette: {error}")
    for name, value in outputs.items():
        CfnOutput(delivery, name, value=value)
    app.synth()


if __name__ == "__main__":
    main()
