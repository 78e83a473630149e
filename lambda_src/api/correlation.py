"""The correlation id: one identifier per request, in every log line and every answer."""

import re
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import Scope

HEADER = "x-correlation-id"
# The id is written to log lines and headers, so it may contain only harmless characters.
_ALLOWED = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")


def correlation_id(scope: Scope) -> str:
    """Return the id of a request; every call for the same request returns the same id.

    The id comes from the caller's header, else from API Gateway, else it is a new UUID.
    """
    state = scope.setdefault("state", {})
    if "correlation_id" not in state:
        state["correlation_id"] = _received_id(scope) or str(uuid4())
    identifier: str = state["correlation_id"]
    return identifier


def _received_id(scope: Scope) -> str | None:
    from_gateway = scope.get("aws.event", {}).get("requestContext", {}).get("requestId")
    for candidate in (Headers(scope=scope).get(HEADER), from_gateway):
        if isinstance(candidate, str) and _ALLOWED.fullmatch(candidate):
            return candidate
    return None
