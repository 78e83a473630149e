"""The Lambda function's handler.

The function can start from a SnapStart snapshot, from which Lambda creates many copies. So this
import stores no clock time, no random state and no open connection. Identifiers come from
`uuid.uuid4`, which asks the operating system each time. The model is read once and the connection
to S3 is closed.
"""

import asyncio
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.handlers import HTTPGateway

from lambda_src.api import lazy_openapi, startup_tuning  # noqa: F401 (imports FastAPI)
from lambda_src.api.app import app
from lambda_src.api.events import NotHttpError, http_event
from lambda_src.api.problems import MEDIA_TYPE, problem

# Mangum uses the thread's current event loop. Python 3.12 and later warn or fail if none is set.
asyncio.set_event_loop(asyncio.new_event_loop())


class _Gateway(HTTPGateway):
    """Mangum's reader of HTTP API events, which otherwise builds the ASGI scope twice."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._scope = super().scope

    @property
    def scope(self) -> Any:
        """The ASGI scope of the request."""
        return self._scope


# The model is loaded at import. With a lifespan, Mangum would run it at every invocation.
_adapter = Mangum(
    app,
    lifespan="off",
    custom_handlers=[_Gateway],
    text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE],
)

startup_tuning.finish()


@app.state.logger.inject_lambda_context  # type: ignore[untyped-decorator]
def handler(event: object, context: Any) -> dict[str, Any]:
    """Answer one HTTP event; `http_event` describes the forms that it may have.

    Every other event is answered with a problem in the form of an HTTP answer. It is not an error
    of the function, because Lambda would repeat an asynchronous event that fails.
    """
    try:
        request = http_event(event)
    except NotHttpError as error:
        response = _refuse(str(error), context.aws_request_id)
    else:
        response = _adapter(request, context)
    app.state.telemetry.record_cold_start()
    if response["statusCode"] >= 500:
        app.state.telemetry.record_failed_answer()
    return response


def _refuse(description: str, request_id: str) -> dict[str, Any]:
    detail = (
        f"The function was invoked with {description}. It answers HTTP requests only: call the "
        "API's URL, or send an event in API Gateway's payload format 2.0."
    )
    app.state.logger.warning(
        "not an HTTP request",
        event_type="not_http",
        correlation_id=request_id,
        detail=detail,
    )
    scope = {"state": {"correlation_id": request_id}}
    return {
        "statusCode": 400,
        "headers": {"content-type": MEDIA_TYPE},
        "body": problem(scope, 400, detail).model_dump_json(exclude_none=True),
        "isBase64Encoded": False,
    }
