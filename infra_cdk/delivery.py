"""Who may deploy without a stored key: GitHub's runners, by repository and environment.

A stack of its own, once per account, by an administrator:

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

from infra_cdk.settings import SettingsError, check_one_of

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
ENVIRONMENTS: Final = ("dev", "prod")
_NAME: Final = r"[A-Za-z0-9_.-]+(@\d+)?"


class Delivery(Stack):
    """One role per environment, which a job of that environment of that repository may take.

    Such a role can do what the CDK's own roles can, by taking them: in an account that was
    bootstrapped plainly, everything, in every environment. A wall between environments is an
    account for each, with the role of that one only. Of its own it can read what a release is
    compared with, and delete versions that no alias names and roles of releases; it moves no
    alias.
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
        """Make the roles.

        Parameters
        ----------
        scope
            The app.
        repository
            `OWNER/NAME`, as the subject of its tokens has it: in repositories made since the
            summer of 2026 with numbers, `OWNER@1234/NAME@5678`.
        service
            Whose stacks are deployed.
        provider_arn
            GitHub's identity provider, where the account has it already: there can be only one.
        environments
            Those that this account is for.

        Raises
        ------
        SettingsError
            If the repository is not written so, or an environment is none.
        """
        super().__init__(
            scope, f"{service}-delivery", description="Etiquette: deployments from GitHub"
        )
        if not re.fullmatch(f"{_NAME}/{_NAME}", repository):
            raise SettingsError(
                f"repository is {repository!r}: give -c repository=OWNER/NAME, or with the numbers "
                "that the repository's OpenID Connect settings show"
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
        # CloudFormation ends the names of what it makes with letters that nobody knows before.
        function = f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{stack}-*"
        bucket = f"arn:{self.partition}:s3:::cdk-{qualifier}-assets-{self.account}-{self.region}"
        stacks = arn(service="cloudformation", resource="stack", resource_name=f"{stack}/*")
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
                "Deploy": _policy(["sts:AssumeRole"], roles),
                # What scripts/release compares with and prunes. A function's name alone matches
                # none of its versions: the function itself can't be deleted.
                "Compare": _policy(
                    [
                        "lambda:GetAlias",
                        "lambda:GetFunction",
                        "lambda:GetFunctionConfiguration",
                        "lambda:ListVersionsByFunction",
                    ],
                    [function],
                ),
                "CompareBundles": _policy(["s3:GetObject"], [f"{bucket}/*.safetensors"]),
                "CompareStack": _policy(["cloudformation:DescribeStacks"], [stacks]),
                "PruneVersions": _policy(["lambda:DeleteFunction"], [f"{function}:*"]),
                "PruneRoles": _policy(
                    ["iam:ListRolePolicies", "iam:DeleteRolePolicy", "iam:DeleteRole"],
                    [old_roles],
                ),
            },
        )
        Validations.of(role).acknowledge(
            *(
                Acknowledgment(
                    id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]",
                    reason="CloudFormation ends names with letters that nobody knows before; what "
                    "stands before them is this environment's stack, or a bundle.",
                )
                for resource in _shown(
                    self, function, f"{function}:*", stacks, old_roles, f"{bucket}/*.safetensors"
                )
            )
        )
        return role


def _policy(actions: list[str], resources: list[str]) -> iam.PolicyDocument:
    statement = iam.PolicyStatement(actions=actions, resources=resources)
    return iam.PolicyDocument(statements=[statement])


def _shown(stack: Stack, *arns: str) -> list[str]:
    """Write ARNs as the rules' findings do: references in angle brackets."""

    def text(part: Any) -> str:
        return f"<{part['Ref']}>" if isinstance(part, dict) else str(part)

    resolved = [stack.resolve(arn) for arn in arns]
    return [
        "".join(map(text, arn["Fn::Join"][1])) if isinstance(arn, dict) else arn for arn in resolved
    ]


def main() -> None:
    """Synthesize the stack for the repository of the context."""
    app = App()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    environment = app.node.try_get_context("environment")
    try:
        Delivery(
            app,
            repository=str(app.node.try_get_context("repository") or ""),
            service=str(app.node.try_get_context("service") or "etiquette"),
            provider_arn=app.node.try_get_context("provider_arn"),
            environments=ENVIRONMENTS if environment is None else [str(environment)],
        )
    except SettingsError as error:
        sys.exit(f"etiquette: {error}")
    app.synth()


if __name__ == "__main__":
    main()
