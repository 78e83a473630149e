"""A limit for the requests that wait on a server: past it, a request is refused at once.

A uvicorn server accepts every connection. With more requests than it can answer, each one waits
longer than the one before, without bound, and in the end callers wait for answers that they have
given up. Lambda needs no such limit: a copy of the function gets one request at a time, and API
Gateway refuses what is too much.
"""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_src.api.problems import ProblemError, problem_response

_RETRY: Final = {"retry-after": "1"}
_REFUSAL: Final = "Too many requests are waiting already. Try again after 1 s."


class QueueLimit:
    """ASGI middleware that answers requests in turn, and refuses those past a limit with 503.

    A request waits for its turn when its body has arrived. So a slow sender does not keep others
    waiting, and a request without a body, such as a health check, is answered at once.

    uvicorn's own `limit_concurrency` counts connections, open and idle ones, too, and refuses with
    a plain text.

    Parameters
    ----------
    app : ASGI application
        Handles the requests. It must turn a `ProblemError` into an answer.
    max_waiting : int
        How many requests may wait.
    """

    def __init__(self, app: ASGIApp, max_waiting: int) -> None:
        self._app = app
        self._max_waiting = max_waiting
        self._n_waiting = 0
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or "aws.event" in scope:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST" and self._n_waiting >= self._max_waiting:
            # Here a refusal costs least. Past its limit, a server must not be busy with refusals.
            await problem_response(scope, 503, _REFUSAL, headers=_RETRY)(scope, receive, send)
            return
        has_turn = False

        async def receive_in_turn() -> Message:
            nonlocal has_turn
            message = await receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            if is_whole and not has_turn:
                await self._wait()
                has_turn = True
            return message

        try:
            await self._app(scope, receive_in_turn, send)
        finally:
            if has_turn:
                self._turn.release()

    async def _wait(self) -> None:
        if self._n_waiting >= self._max_waiting:
            raise ProblemError(503, _REFUSAL, headers=_RETRY)
        self._n_waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._n_waiting -= 1
        try:
            # An answer is computed without a pause. The pause here lets the server read the
            # requests that have arrived meanwhile, so that they are counted.
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._turn.release()
            raise
