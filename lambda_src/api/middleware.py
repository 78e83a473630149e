"""ASGI middleware that applies to every request: refusals, limits and unexpected errors."""

import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from aws_lambda_powertools import Logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_src.api import correlation
from lambda_src.api.events import came_through_a_front
from lambda_src.api.problems import ProblemError, problem_response

ROUTES_WITH_OWN_THROTTLE = frozenset({"POST /predict/batch", "POST /feedback"})
"""Routes that API Gateway throttles harder than its ``$default`` route."""
MAX_REQUEST_BYTES = 2**20
"""The limit for a whole request. The limit for one question is `schemas.MAX_QUESTION_BYTES`."""
ORIGIN_HEADER: Final = "x-origin-secret"
"""CloudFront adds this header, so that the function knows which requests went through it."""


class RequestGuard:
    """Refuse requests that no operation can answer, and answer unexpected errors with 500.

    It also answers ``HEAD`` as ``GET`` without the content, and adds the correlation id to every
    answer.

    Parameters
    ----------
    app : ASGI application
        Handles the requests that are not refused.
    logger : Logger
        Receives one line per unexpected error, without any text of the question.
    origin_secret : str or None
        What the header ``x-origin-secret`` must contain. Without it, the header is not needed.
    """

    def __init__(self, app: ASGIApp, logger: Logger, origin_secret: str | None) -> None:
        self._app = app
        self._logger = logger
        self._origin_secret = origin_secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response_started = False
        is_head = scope["method"] == "HEAD"
        identifier = correlation.correlation_id(scope)

        async def send_answer(message: Message) -> None:
            nonlocal response_started
            if message["type"] == "http.response.start":
                response_started = True
                MutableHeaders(scope=message)[correlation.HEADER] = identifier
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_answer)
            return
        try:
            inner = {**scope, "method": "GET"} if is_head else scope
            await self._app(inner, _limited(receive), send_answer)
        except Exception as error:  # whatever happened, the caller gets an answer
            # Only the exception's class and place: its message may quote the question.
            self._logger.error(
                "unexpected error",
                event_type="failure",
                correlation_id=identifier,
                kind=type(error).__name__,
                place=list(_places(error)),
            )
            if response_started:
                raise
            detail = (
                "The service failed unexpectedly. Try again; if the error stays, report it with "
                f"the correlation id {identifier}."
            )
            await problem_response(scope, 500, detail)(scope, receive, send_answer)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._origin_secret is not None and not _has_secret(scope, self._origin_secret):
            return problem_response(
                scope,
                403,
                "This address is not public. Send the request to the service's public address.",
            )
        path: str = scope["path"]
        if path.endswith("/") and path.strip("/"):
            return _without_slash(scope)
        if scope["method"] == "POST" and _avoids_throttle(scope):
            detail = (
                f"The request missed the route POST {path} of the API, which limits it. The path "
                f"must not be percent-encoded: write it as {path}."
            )
            return problem_response(scope, 404, detail)
        return None


def _has_secret(scope: Scope, secret: str) -> bool:
    event = scope.get("aws.event")
    if event is not None and not came_through_a_front(event):
        return True
    received = Headers(scope=scope).get(ORIGIN_HEADER, "")
    return hmac.compare_digest(received.encode(), secret.encode())


def _without_slash(scope: Scope) -> Response:
    # The target is relative: the service may be served under another host or below a path.
    target = "../" + quote(scope["path"].rstrip("/").rpartition("/")[2])
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{target}?{query}" if query else target)


def _avoids_throttle(scope: Scope) -> bool:
    """Return whether a request avoids the throttle of its own route.

    API Gateway matches routes before it decodes the path, so a path such as /predict/%62atch
    matches only $default. A function URL has no routes at all: it always says $default. So do
    direct invocations, such as those of the audit, which no API throttles.
    """
    event = scope.get("aws.event")
    return (
        event is not None
        and f"POST {scope['path']}" in ROUTES_WITH_OWN_THROTTLE
        and event.get("routeKey") == "$default"
        and came_through_a_front(event)
        and ".lambda-url." not in event["requestContext"].get("domainName", "")
    )


TOO_LARGE = (
    413,
    f"The request has more than {MAX_REQUEST_BYTES} bytes. Send a shorter text or fewer questions.",
)


def _limited(receive: Receive) -> Receive:
    received_bytes = 0

    async def receive_limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_REQUEST_BYTES:
            raise ProblemError(*TOO_LARGE)
        return message

    return receive_limited


def _places(error: BaseException) -> Iterable[str]:
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
