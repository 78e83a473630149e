"""A service that is reached by the alias of its function, without its HTTP API."""

import base64
import json
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model_build.audit.errors import AuditError

_FAILED: Final = 502
"""What API Gateway answers when a function fails."""


class LiveFunction:
    """The alias of a function.

    The caller needs the permission to invoke it, and nothing that the API asks of its callers: the
    same call works with every setting ``auth``.

    Parameters
    ----------
    arn : str
        Of the alias.

    Raises
    ------
    AuditError
        There is no region.
    """

    access_advice: Final = "Allow this role to invoke it (lambda:InvokeFunction)."

    def __init__(self, arn: str) -> None:
        self.address = arn
        try:
            # The audit itself repeats what fails.
            self._functions: Any = boto3.client(
                "lambda", config=Config(retries={"max_attempts": 0})
            )
        except BotoCoreError as error:
            raise AuditError(f"Cannot invoke {arn}: {error} Set AWS_REGION.") from error

    def post(self, content: bytes) -> tuple[int, bytes]:
        """See `Connection.post`."""
        event = json.dumps(_event(content.decode()))
        try:
            answer = self._functions.invoke(FunctionName=self.address, Payload=event.encode())
            payload: bytes = answer["Payload"].read()
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], str(error).encode()
        except BotoCoreError as error:
            return 0, str(error).encode()
        if "FunctionError" in answer:
            return _FAILED, payload
        try:
            returned = json.loads(payload)
            body = returned["body"].encode()
            encoded = returned.get("isBase64Encoded", False)
            return int(returned["statusCode"]), base64.b64decode(body) if encoded else body
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AuditError(
                f"{self.address} does not answer as the service does. Check the name of the alias."
            ) from error


def _event(body: str) -> dict[str, Any]:
    """Return a request in the form in which API Gateway sends it, payload format 2.0.

    References
    ----------
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "audit.invalid"},
        "requestContext": {
            "http": {
                "method": "POST",
                "path": "/predict",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",  # an address reserved for documentation (RFC 5737)
                "userAgent": "etiquette-audit",
            },
            "requestId": "audit",
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
