"""The deployment whose state machines are tested."""

from collections.abc import Iterator

import pytest

from scripts.emulator.deployment import Deployment, deploy_assembly, synthesize
from scripts.emulator.local_aws import LocalAws


@pytest.fixture(scope="package")
def own_aws(aws: LocalAws) -> Iterator[LocalAws]:
    """A second local AWS, for a stack with other settings."""
    started = LocalAws.start("state-machines-test", engine=aws.engine.name)
    yield started
    started.stop()


@pytest.fixture(scope="package")
def deployed(own_aws: LocalAws) -> Deployment:
    """The stack with all state machines."""
    settings = {"retraining": "true", "retraining_schedule": "rate(28 days)"}
    settings |= {"audit_site": "cooking", "archive_scoring": "2"}
    return deploy_assembly(own_aws, synthesize(own_aws, settings))
