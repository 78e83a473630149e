"""ASGI middleware that applies to every request: limits, correlation id, unexpected errors."""

from collections.abc import Iterable

from aws_lambda_powertools import Logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_src.api import correlation
from lambda_src.api.problems import ProblemError, problem_response

ROUTES_WITH_OWN_THROTTLE = frozenset({"POST /predict/batch", "POST /feedback"})
"""Routes that API Gateway throttles harder than its ``$default`` route."""
MAX_REQUEST_BYTES = 2**20
"""The limit for a whole request. The limit for one question is `schemas.MAX_QUESTION_BYTES`."""


class RequestGuard:
    """Refuse requests that are too large or not JSON, and answer unexpected errors with 500.

    Every answer carries the request's correlation id.

    Parameters
    ----------
    app : ASGI application
        Handles the requests that are not refused.
    logger : Logger
        Receives one line per unexpected error, without any text of the question.
    """

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response_started = False
        identifier = correlation.correlation_id(scope)

        async def send_with_id(message: Message) -> None:
            nonlocal response_started
            if message["type"] == "http.response.start":
                response_started = True
                MutableHeaders(scope=message)[correlation.HEADER] = identifier
            await send(message)

        refusal = _refusal(scope)
        if refusal is not None:
            await problem_response(scope, *refusal)(scope, receive, send_with_id)
            return
        try:
            await self._app(scope, _limited(receive), send_with_id)
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
            await problem_response(scope, 500, detail)(scope, receive, send_with_id)


_TOO_LARGE = (
    413,
    f"The request has more than {MAX_REQUEST_BYTES} bytes. Send a shorter text or fewer questions.",
)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    if scope["method"] != "POST":
        return None
    # API Gateway matches routes before it decodes the path. A path such as /predict/%62atch
    # matches only $default, so it would avoid the throttle of its own route.
    route = scope.get("aws.event", {}).get("routeKey")
    if route == "$default" and f"POST {scope['path']}" in ROUTES_WITH_OWN_THROTTLE:
        return 404, f"The path must not be percent-encoded. Write it as {scope['path']}."
    headers = Headers(scope=scope)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        return (
            415,
            "The body must be JSON. Send it with the header 'content-type: application/json'.",
        )
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
        return _TOO_LARGE
    return None


def _limited(receive: Receive) -> Receive:
    received_bytes = 0

    async def receive_limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_REQUEST_BYTES:
            raise ProblemError(*_TOO_LARGE)
        return message

    return receive_limited


def _places(error: BaseException) -> Iterable[str]:
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
