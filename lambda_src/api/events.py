"""The HTTP requests among the events that the function is invoked with.

Mangum converts an event to a request, but it relies on the event's fields: one that is missing, or
a header such as ``x-forwarded-port: 443,80``, makes it fail. So the function passes Mangum a new
event, which holds only the fields that Mangum and the application read, with valid values.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

from lambda_src.api.problems import shown

_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
_SCHEME: Final = re.compile(r"https?")
_VALID_VALUES: Final = {
    "host": _HOST,
    "x-forwarded-port": _PORT,
    "x-forwarded-proto": _SCHEME,
}
"""Headers that Mangum parses. A value of another form is left out, as if it had not been sent."""


class NotHttpError(Exception):
    """The event is not an HTTP request. The message says what it is, without its content."""


def http_event(event: object) -> dict[str, Any]:
    """Copy an HTTP request's event for Mangum.

    Parameters
    ----------
    event : object
        Any JSON value. A request has the form of API Gateway's payload format 2.0 (Lambda's
        function URLs have the same) or 1.0 (REST APIs have the same), or of a load balancer.

    Returns
    -------
    dict
        The event in the same form, with the fields that are read and no others.

    Raises
    ------
    NotHttpError
        The event has none of these forms, or its body cannot be read.

    References
    ----------
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """
    if not isinstance(event, dict):
        raise NotHttpError(f"a JSON value of the type {type(event).__name__}")
    context = event.get("requestContext")
    if not isinstance(context, dict):
        raise NotHttpError(_describe(event))
    if event.get("version") == "2.0":
        copy = _payload_2(event, context)
    elif "elb" in context:
        copy = _load_balancer(event)
    else:
        copy = _payload_1(event)
    # A direct invocation has no apiId; see `came_through_a_front`.
    copy["requestContext"] |= {
        name: context[name]
        for name in ("apiId", "domainName", "requestId")
        if isinstance(context.get(name), str)
    }
    copy["requestContext"]["authorizer"] = _authorizer(context)
    copy["requestContext"]["principal"] = _principal(context)
    copy["body"] = _body(event)
    copy["isBase64Encoded"] = False
    return copy


def came_through_a_front(event: Mapping[str, Any]) -> bool:
    """Return whether an API, a function URL or a load balancer sent an HTTP event.

    Other events were sent by somebody who may invoke the function directly, such as the heartbeat
    or the pre-traffic check. No caller of an API can influence the fields that this depends on.
    """
    return bool(event["requestContext"].keys() & {"apiId", "elb"})


def is_authenticated(event: Mapping[str, Any] | None) -> bool:
    """Return whether API Gateway identified the caller, by a token (JWT) or a signature (IAM).

    Parameters
    ----------
    event : mapping or None
        An event that `http_event` copied. A server outside Lambda has none.
    """
    return event is not None and bool(event["requestContext"]["authorizer"])


def _authorizer(context: dict[str, Any]) -> list[str]:
    """Return how the caller was identified, without the claims, which may be personal."""
    authorizer = context.get("authorizer")
    if not isinstance(authorizer, dict):
        return []
    return [kind for kind in ("jwt", "iam") if authorizer.get(kind)]


def _principal(context: dict[str, Any]) -> str | None:
    """Return who was identified. It is personal: only a keyed hash may leave the request.

    A caller must not be able to choose parts of it. So of an assumed role, it is the role's
    identifier without the name of the session.

    References
    ----------
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (aws:userid)
    """
    authorizer = context.get("authorizer")
    if not isinstance(authorizer, dict):
        return None
    jwt, iam = authorizer.get("jwt"), authorizer.get("iam")
    if isinstance(jwt, dict) and isinstance(claims := jwt.get("claims"), dict):
        # A token for a program may have no subject, but then it names the program.
        who = next((claims[name] for name in ("sub", "client_id", "azp") if claims.get(name)), None)
        return None if who is None else _text(f"{claims.get('iss')}\n{who}")
    if isinstance(iam, dict) and isinstance(user := iam.get("userId"), str):
        return _text(user.partition(":")[0])
    return None


def _payload_2(event: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    http = context.get("http")
    if not isinstance(http, dict):
        raise NotHttpError(_describe(event))
    return {
        "version": "2.0",
        "routeKey": event.get("routeKey"),
        "rawQueryString": _text(event.get("rawQueryString")),
        "headers": _headers(event.get("headers")),
        "requestContext": {
            "http": {
                "method": _required(event, http, "method"),
                "path": _required(event, http, "path"),
                "sourceIp": _text(http.get("sourceIp")),
            }
        },
    }


def _payload_1(event: dict[str, Any]) -> dict[str, Any]:
    headers = _headers(event.get("headers")) | {
        name: ", ".join(values)
        for name, values in _header_lists(event.get("multiValueHeaders")).items()
        if name not in _VALID_VALUES
    }
    return {
        "version": "1.0",
        "path": _required(event, event, "path"),
        "httpMethod": _required(event, event, "httpMethod"),
        "headers": headers,
        "multiValueQueryStringParameters": _query(event),
        "requestContext": {},
    }


def _load_balancer(event: dict[str, Any]) -> dict[str, Any]:
    copy = {
        "path": _required(event, event, "path"),
        "httpMethod": _required(event, event, "httpMethod"),
        "multiValueQueryStringParameters": _query(event),
        "requestContext": {"elb": {}},
    }
    # A target group sends, and expects, either single or multiple values of headers.
    if isinstance(event.get("multiValueHeaders"), dict):
        copy["multiValueHeaders"] = {
            name: values
            for name, values in _header_lists(event["multiValueHeaders"]).items()
            if all(_is_valid(name, value) for value in values)
        }
    else:
        copy["headers"] = _headers(event.get("headers"))
    return copy


def _body(event: dict[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise NotHttpError(f"an HTTP request whose body is a {type(body).__name__} and not text")
    if not event.get("isBase64Encoded"):
        # A lone surrogate becomes invalid UTF-8, which the application refuses.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise NotHttpError("an HTTP request whose body is not valid base64") from None


def _headers(headers: object) -> dict[str, str]:
    if not isinstance(headers, dict):
        return {}
    # Almost all headers are ASCII, and this is on the path of every request.
    copy = {
        (name if name.isascii() else _text(name)).lower(): value
        if value.isascii()
        else _text(value)
        for name, value in headers.items()
        if isinstance(value, str)
    }
    for name, form in _VALID_VALUES.items():
        if name in copy and not form.fullmatch(copy[name]):
            del copy[name]
    return copy


def _is_valid(name: str, value: str) -> bool:
    form = _VALID_VALUES.get(name)
    return form is None or form.fullmatch(value) is not None


def _header_lists(headers: object) -> dict[str, list[str]]:
    return {name.lower(): values for name, values in _lists(headers).items()}


def _lists(values: object) -> dict[str, list[str]]:
    """Copy lists of texts by name, as headers and query strings with multiple values have them."""
    if not isinstance(values, dict):
        return {}
    return {
        _text(name): [_text(each) for each in listed if isinstance(each, str)]
        for name, listed in values.items()
        if isinstance(listed, list)
    }


def _query(event: dict[str, Any]) -> dict[str, list[str]]:
    single = event.get("queryStringParameters")
    values = {name: [value] for name, value in single.items()} if isinstance(single, dict) else {}
    multiple = event.get("multiValueQueryStringParameters")
    return _lists(multiple if isinstance(multiple, dict) else values)


def _required(event: dict[str, Any], part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise NotHttpError(_describe(event))
    return _text(value)


def _text(value: object) -> str:
    """Return a text that can be encoded as UTF-8; other values become an empty text."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode(errors="replace").decode()


def _describe(event: dict[str, Any]) -> str:
    # The names alone tell an operator who sent the event. The values may be confidential.
    names = sorted(shown(name) for name in list(event)[:10])
    return f"a JSON object with the fields {', '.join(names)}" if names else "an empty JSON object"
