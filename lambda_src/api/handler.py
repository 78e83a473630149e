"""The API as a Lambda function.

Safe to start from a snapshot (SnapStart), which many copies of the function share: importing this
keeps no time, no random state and no connection. Identifiers come from `uuid.uuid4`, which asks the
operating system each time; the model is read once and its connection is closed.
"""

import asyncio
from typing import Any

from mangum import Mangum

from lambda_src.api import lean_start
from lambda_src.api.app import app

# Mangum uses the thread's event loop; newer Pythons make none that was not asked for.
asyncio.set_event_loop(asyncio.new_event_loop())
# The model is loaded at import; Mangum would run a lifespan at every invocation.
_adapter = Mangum(app, lifespan="off")

lean_start.finish()


@app.state.logger.inject_lambda_context  # type: ignore[untyped-decorator]
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway event (payload format 2.0)."""
    answer = _adapter(event, context)
    app.state.telemetry.answered()
    return answer
