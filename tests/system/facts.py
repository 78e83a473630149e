"""What AWS itself says of a deployment."""

from dataclasses import dataclass
from typing import Any, Self

from lambda_src.api.middleware import ROUTES_WITH_OWN_THROTTLE
from scripts.emulator.account import client
from scripts.emulator.deployment import STACK, Deployment


@dataclass(frozen=True)
class Release:
    """A deployment's state at one moment."""

    deployment: Deployment
    function: str
    live: str
    """The version that the alias points at."""
    alias_revision: str
    versions: dict[str, str]
    """The digest of the model by version."""
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


def gateway_event(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """A request as API Gateway hands it to a function, payload format 2.0."""
    route = f"{method} {path}"
    if route not in ROUTES_WITH_OWN_THROTTLE:
        route = "$default"
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "example.org"},
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": "request",
            "routeKey": route,
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
