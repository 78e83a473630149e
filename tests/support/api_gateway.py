"""Requests as API Gateway's HTTP API hands them to a Lambda function."""

import base64
from types import SimpleNamespace
from typing import Any, Final

REQUEST_ID: Final = "RequestIdOfGateway="
_HOST: Final = "abcdef1234.execute-api.eu-west-1.amazonaws.com"


def gateway_event(
    method: str,
    path: str,
    body: str | None = None,
    *,
    base64_encoded: bool = False,
    headers: dict[str, str] | None = None,
    route: str = "$default",
) -> dict[str, Any]:
    """Build an event of payload format 2.0, with the fields that AWS documents.

    Parameters
    ----------
    method
        The HTTP method.
    path
        The path of the URL, such as `/predict`.
    body
        The content of the request, if it has any.
    base64_encoded
        Encode the body as API Gateway does with binary content.
    headers
        Headers that are added to the usual ones or replace them; names in lower case.
    route
        The route of the API that API Gateway selects, such as `POST /feedback`.

    References
    ----------
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    if body is not None and base64_encoded:
        body = base64.b64encode(body.encode()).decode()
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": _HOST,
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-65a0b1c2-0123456789abcdef01234567",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": _HOST,
            "domainPrefix": "abcdef1234",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8.5.0",
            },
            "requestId": REQUEST_ID,
            "routeKey": route,
            "stage": "$default",
            "time": "22/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1795341600000,
        },
        "isBase64Encoded": base64_encoded,
        **({} if body is None else {"body": body}),
    }


def lambda_context() -> Any:
    """Return the attributes of a Lambda context object that Powertools reads."""
    return SimpleNamespace(
        function_name="etiquette",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:etiquette:live",
        aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72",
    )
