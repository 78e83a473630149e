"""The API as a Lambda function."""

from typing import Any

from mangum import Mangum

from lambda_src.api.app import app

# The model is loaded at import; Mangum would run a lifespan at every invocation.
_adapter = Mangum(app, lifespan="off")


@app.state.logger.inject_lambda_context  # type: ignore[untyped-decorator]
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway event (payload format 2.0)."""
    return _adapter(event, context)
