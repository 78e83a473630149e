"""Where a command acts: the stack of one environment, in an AWS account or in local AWS."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import boto3
from botocore.exceptions import ClientError

NO_CREDENTIALS: Final = (
    "No AWS credentials found. Sign in with 'aws sso login' or 'aws configure', and set "
    "AWS_PROFILE if your profile is not the default one."
)


class Emulator(Protocol):
    """The operations of local AWS that differ from those of a real account."""

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service of the emulator."""

    def synthesize(self, settings: Mapping[str, str]) -> Path:
        """Synthesize the stack with these settings and return its folder."""

    def deploy(self, assembly: Path) -> None:
        """Deploy a synthesized stack."""

    def forget_warm_containers(self) -> None:
        """Stop the function's containers, so that the next request starts a new one."""


def stack_name(environment: str, context: Mapping[str, str]) -> str:
    """Return the name of the stack of an environment.

    Examples
    --------
    >>> stack_name("prod", {"service": "tags"})
    'tags-prod'
    """
    return f"{context.get('service', 'etiquette')}-{environment}"


def choose_profile(profile: str | None) -> None:
    """Let boto3 use the same credentials as the CDK.

    Parameters
    ----------
    profile
        The CDK's option `--profile`, if it was given.
    """
    if profile:
        os.environ["AWS_PROFILE"] = profile
    if not os.environ.get("AWS_PROFILE"):
        os.environ.pop("AWS_PROFILE", None)  # boto3 fails on an empty name, which the CDK ignores


@dataclass(frozen=True)
class Target:
    """One deployment of Etiquette.

    Attributes
    ----------
    environment
        `dev`, `prod` or `emulator`.
    stack
        The name of the stack.
    emulator
        Local AWS, if the environment is `emulator`; None on AWS itself.
    context
        Settings of the deployment other than the model, as for the CDK's option `-c`.
    region
        The region of a stack that is always in the same one; by default that of the environment.
    """

    environment: str
    stack: str
    emulator: Emulator | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service, such as "lambda", of this target."""
        if self.emulator is not None:
            return self.emulator.client(service)
        # The same region as the CDK command line: it also reads AWS_REGION and has this default.
        session: Any = boto3.session.Session()
        region = self.region or os.environ.get("AWS_REGION") or session.region_name or "us-east-1"
        return session.client(service, region_name=region)

    def describe(self) -> Any:
        """Return CloudFormation's description of the stack, or None if it does not exist."""
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return stack

    def outputs(self) -> dict[str, str] | None:
        """Return the stack's outputs by name, or None if the stack does not exist."""
        stack = self.describe()
        if stack is None:
            return None
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def forget_warm_containers(self) -> None:
        """Make the next invocation of a version start a container of that version.

        On AWS this is always so. The emulator distinguishes warm containers only by their image:
        one version could answer for another.
        """
        if self.emulator is not None:
            self.emulator.forget_warm_containers()
