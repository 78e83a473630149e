"""One identifier per request, from the caller or from API Gateway, in every line and answer."""

import re
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import Scope

HEADER = "x-correlation-id"
# Goes into log lines and headers, so nothing but harmless characters.
_HARMLESS = re.compile(r"[A-Za-z0-9._:=+/-]{1,128}")


def correlation_id(scope: Scope) -> str:
    """Give the request's identifier, the same one at every call for a request."""
    state = scope.setdefault("state", {})
    if "correlation_id" not in state:
        state["correlation_id"] = _given(scope) or str(uuid4())
    known: str = state["correlation_id"]
    return known


def _given(scope: Scope) -> str | None:
    gateway = scope.get("aws.event", {}).get("requestContext", {}).get("requestId")
    for candidate in (Headers(scope=scope).get(HEADER), gateway):
        if isinstance(candidate, str) and _HARMLESS.fullmatch(candidate):
            return candidate
    return None
