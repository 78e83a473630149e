"""The Lambda function's handler.

The function can start from a SnapStart snapshot, from which Lambda creates many copies. So this
import stores no clock time, no random state and no open connection. Identifiers come from
`uuid.uuid4`, which asks the operating system each time. The model is read once and the connection
to S3 is closed.
"""

import asyncio
from typing import Any

from mangum import Mangum

from lambda_src.api import startup_tuning
from lambda_src.api.app import app

# Mangum uses the thread's current event loop. Python 3.12 and later warn or fail if none is set.
asyncio.set_event_loop(asyncio.new_event_loop())
# The model is loaded at import. With a lifespan, Mangum would run it at every invocation.
_adapter = Mangum(app, lifespan="off")

startup_tuning.finish()


@app.state.logger.inject_lambda_context  # type: ignore[untyped-decorator]
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway event (payload format 2.0)."""
    response = _adapter(event, context)
    app.state.telemetry.record_cold_start()
    if response["statusCode"] >= 500:
        app.state.telemetry.record_failed_answer()
    return response
