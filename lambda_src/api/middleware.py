"""What holds for every request, as plain ASGI: limits, the correlation id, the last resort."""

from collections.abc import Iterable

from aws_lambda_powertools import Logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_src.api import correlation
from lambda_src.api.problems import ProblemError, problem_response

ROUTES_OF_THEIR_OWN = frozenset({"POST /predict/batch", "POST /feedback"})
"""Those that API Gateway has beside the one for all others, to throttle them harder."""
MAX_REQUEST_BYTES = 2**20
"""Of a batch; a question alone is measured again, as text."""


class RequestGuard:
    """Refuse what is too large or not JSON, name each request, and answer when all else fails.

    Parameters
    ----------
    app : ASGI application
    logger : Logger
        Told of failures, never of what a question says.
    """

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        identifier = correlation.correlation_id(scope)

        async def send_named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[correlation.HEADER] = identifier
            await send(message)

        refusal = _refusal(scope)
        if refusal is not None:
            await problem_response(scope, *refusal)(scope, receive, send_named)
            return
        try:
            await self._app(scope, _limited(receive), send_named)
        except Exception as error:  # the last resort: the caller gets an answer, whatever happened
            # The kind and the place only: an exception's own text may quote the question.
            self._logger.error(
                "request failed",
                event_type="failure",
                correlation_id=identifier,
                kind=type(error).__name__,
                place=list(_places(error)),
            )
            if started:
                raise
            detail = f"This is our fault. Report it with the correlation id {identifier}."
            await problem_response(scope, 500, detail)(scope, receive, send_named)


_TOO_LARGE = (413, f"The request is larger than {MAX_REQUEST_BYTES} bytes. Send less text.")


def _refusal(scope: Scope) -> tuple[int, str] | None:
    if scope["method"] != "POST":
        return None
    # API Gateway decodes the path that it hands on: one that is written %62atch may have matched
    # no route of its own, and come past that route's throttle.
    route = scope.get("aws.event", {}).get("routeKey")
    if route == "$default" and f"POST {scope['path']}" in ROUTES_OF_THEIR_OWN:
        return 404, f"Write the path as {scope['path']}, without percent signs."
    headers = Headers(scope=scope)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        return 415, "Send JSON, with the header 'content-type: application/json'."
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
        return _TOO_LARGE
    return None


def _limited(receive: Receive) -> Receive:
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_REQUEST_BYTES:
            raise ProblemError(*_TOO_LARGE)
        return message

    return receive_limited


def _places(error: BaseException) -> Iterable[str]:
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
