"""The API as a Lambda function.

Safe to start from a snapshot (SnapStart), which many copies of the function share: importing this
keeps no time, no random state and no connection. Identifiers come from `uuid.uuid4`, which asks the
operating system each time; the model is read once and its connection is closed.
"""

import gc
import os
from typing import Any

# Nothing made here is ever garbage: looking for some takes a tenth of the start.
gc.disable()
# Before numpy is imported: a product of 25 rows is no work for several threads, and starting them
# takes time and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from mangum import Mangum  # noqa: E402

from lambda_src.api.app import app  # noqa: E402

# The model is loaded at import; Mangum would run a lifespan at every invocation.
_adapter = Mangum(app, lifespan="off")

gc.freeze()
gc.enable()


@app.state.logger.inject_lambda_context  # type: ignore[untyped-decorator]
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway event (payload format 2.0)."""
    return _adapter(event, context)
