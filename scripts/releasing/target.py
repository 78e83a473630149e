"""Where a command acts: one environment's stack, in an account or in the emulator."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import boto3
from botocore.exceptions import ClientError

from scripts.emulator import account
from scripts.emulator.local_aws import LocalAws
from scripts.releasing.errors import ReleaseError

EMULATOR: Final = "emulator"


@dataclass(frozen=True)
class Target:
    """One deployment of Etiquette."""

    environment: str
    """`dev`, `prod`, or `emulator`."""
    stack: str
    """The name of its stack."""
    emulator: LocalAws | None = None
    """None on AWS itself."""
    context: Mapping[str, str] = field(default_factory=dict)
    """Settings of the deployment besides the model, as `-c` takes them."""

    @classmethod
    def find(
        cls, environment: str, *, emulator: str, context: Mapping[str, str] | None = None
    ) -> Self:
        """Find where an environment is.

        Parameters
        ----------
        environment
            `dev`, `prod`, or `emulator`.
        emulator
            The name under which the emulator was started; of no matter elsewhere.
        context
            Settings of the deployment besides the model: `service` names the stack.

        Raises
        ------
        ReleaseError
            If it is the emulator and none runs.
        """
        given = dict(context or {})
        stack = f"{given.get('service', 'etiquette')}-{environment}"
        if environment != EMULATOR:
            return cls(environment, stack, context=given)
        running = LocalAws.running(emulator)
        if running is None:
            raise ReleaseError(f"no emulator runs: scripts/local_aws --name {emulator} up")
        return cls(environment, stack, running, given)

    def client(self, service: str) -> Any:
        """Return boto3's client of a service, "lambda", for this target."""
        if self.emulator is not None:
            return account.client(self.emulator, service)
        # Where the CDK command line deploys: it reads AWS_REGION, too, and has a last resort.
        session: Any = boto3.session.Session()
        region = os.environ.get("AWS_REGION") or session.region_name or "us-east-1"
        return session.client(service, region_name=region)

    def outputs(self) -> dict[str, str] | None:
        """Return the stack's outputs by name, or None where nothing is deployed yet."""
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def start_afresh(self) -> None:
        """Let the next invocation of a version start a copy of its own.

        Nothing to do on AWS. The emulator tells warm containers apart by image alone, and would
        let one version answer for another with the same image.
        """
        if self.emulator is not None:
            self.emulator.forget_warm_containers()
