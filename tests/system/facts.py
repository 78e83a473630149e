"""The state of a deployment, as AWS reports it."""

import os
from dataclasses import dataclass
from typing import Final, Self

from scripts.emulator.account import client
from scripts.emulator.deployment import STACK, Deployment

EMULATOR: Final = "-".join(["tests", *os.environ.get("PYTEST_XDIST_WORKER", "").split()])
"""The name of the local AWS of this process. Each process that runs tests has one of its own."""


@dataclass(frozen=True)
class Release:
    """The state of a deployment at one moment."""

    deployment: Deployment
    function: str
    live: str
    """The version that the alias points to."""
    alias_revision: str
    versions: dict[str, str]
    """The SHA-256 of the model of each version."""
    stack_status: str
    stack_updated: str

    @classmethod
    def read(cls, deployment: Deployment) -> Self:
        functions = client(deployment.aws, "lambda")
        function, _, alias = deployment.outputs["FunctionAlias"].rpartition(":")
        live = functions.get_alias(FunctionName=function, Name=alias)
        versions = functions.list_versions_by_function(FunctionName=function)["Versions"]
        stacks = client(deployment.aws, "cloudformation").describe_stacks(StackName=STACK)
        (stack,) = stacks["Stacks"]
        return cls(
            deployment=deployment,
            function=function,
            live=live["FunctionVersion"],
            alias_revision=live["RevisionId"],
            versions={
                version["Version"]: version["Environment"]["Variables"]["ETIQUETTE_MODEL_SHA256"]
                for version in versions
                if version["Version"] != "$LATEST"
            },
            stack_status=stack["StackStatus"],
            stack_updated=str(stack.get("LastUpdatedTime")),
        )
