"""Local AWS as a place to release to; see `scripts.releasing.target.Emulator`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.emulator import account, deployment
from scripts.emulator.local_aws import LocalAws


class ReleaseTarget(NamedTuple):
    """A running local AWS, with the operations that a release needs."""

    aws: LocalAws

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service of the emulator."""
        return account.client(self.aws, service)

    def synthesize(self, settings: Mapping[str, str]) -> Path:
        """Synthesize the stack with these settings and return its folder."""
        return deployment.synthesize(self.aws, settings)

    def deploy(self, assembly: Path) -> None:
        """Deploy a synthesized stack."""
        deployment.deploy_assembly(self.aws, assembly)

    def forget_warm_containers(self) -> None:
        """Stop the function's containers, so that the next request starts a new one."""
        self.aws.forget_warm_containers()
