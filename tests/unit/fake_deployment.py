"""A deployed service that is not there: what a review of a deployment reads of it."""

import io
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from scripts.releasing.target import Target

ALIAS = "arn:aws:lambda:eu-west-1:123456789012:function:api:live"
DESCRIPTION = "Tag suggestions"
NAMES = {"ModelVersion": "m1", "FunctionAlias": ALIAS}


def settings_outputs(values: dict[str, str], *given: str) -> dict[str, str]:
    """Make the outputs of a stack for its settings, and for those that the command gave."""
    return {"Settings": json.dumps(values), "CommandSettings": json.dumps(given)}


@dataclass
class FakeAws:
    """The methods of every boto3 client that a review calls, for one stack."""

    outputs: dict[str, str] | None = None
    model_sha256: str = "1" * 64
    description: str = "model=m1 tags=7"
    stacks: list[dict[str, str]] = field(default_factory=list)
    concurrency: list[int | None] = field(default_factory=list)
    """The reserved concurrency after each change; None is none."""
    may_read_alias: bool = True
    meta = SimpleNamespace(region_name="eu-west-1")

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012"}

    def list_account_aliases(self) -> dict[str, list[str]]:
        if not self.may_read_alias:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListAccountAliases")
        return {"AccountAliases": ["example-prod"]}

    def get_alias(self, **_: str) -> dict[str, Any]:
        return {"FunctionVersion": "1", "RevisionId": "r"}

    def get_paginator(self, operation: str) -> Any:
        version = {
            "Version": "1",
            "Description": self.description,
            "Environment": {
                "Variables": {
                    "ETIQUETTE_MODEL": "s3://bucket/key",
                    "ETIQUETTE_MODEL_SHA256": self.model_sha256,
                }
            },
            "LastModified": "2026-11-22T14:00:00.000+0000",
            "Role": "role",
        }
        pages = {
            "list_versions_by_function": {"Versions": [version]},
            "list_stacks": {"StackSummaries": self.stacks},
        }
        return SimpleNamespace(paginate=lambda **_: [pages[operation]])

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"bundle")}

    def put_function_concurrency(self, **asked: Any) -> None:
        self.concurrency.append(asked["ReservedConcurrentExecutions"])

    def delete_function_concurrency(self, **_: str) -> None:
        self.concurrency.append(None)


@dataclass(frozen=True, kw_only=True)
class FakeTarget(Target):
    """The deployment of the fake."""

    aws: FakeAws
    environment: str = "prod"
    stack: str = "etiquette-prod"

    def client(self, _: str) -> Any:
        return self.aws

    def outputs(self) -> dict[str, str] | None:
        return self.aws.outputs


def live(values: dict[str, str], *given: str, **changes: Any) -> FakeAws:
    """Make an account in which a service with these settings is deployed."""
    return FakeAws(outputs=NAMES | settings_outputs(values, *given), **changes)
