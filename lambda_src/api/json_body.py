"""Reads JSON bodies strictly: what other readers may understand differently is refused.

Python's own reader guesses the encoding, accepts NaN, keeps the last of two equal keys, and fails
with various exceptions on deep nesting and long numbers. Here, each of them is a problem (400) that
names the cause. See RFC 8259, sections 4 (names), 6 (numbers) and 8.1 (encoding), and RFC 7493.
"""

import codecs
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.types import Scope

from lambda_src.api.middleware import MAX_REQUEST_BYTES, TOO_LARGE
from lambda_src.api.problem_schemas import FieldError
from lambda_src.api.problems import ProblemError, field_errors, problem_response, shown

_UTF_16: Final = "is encoded as UTF-16 or UTF-32. Encode it as UTF-8"
_SIGNATURES: Final = {
    b"\x1f\x8b": "is compressed with gzip. Send it uncompressed",
    codecs.BOM_UTF16_LE: _UTF_16,
    codecs.BOM_UTF16_BE: _UTF_16,
}
"""What the first bytes of a body reveal that is not UTF-8."""


_JSON_TYPE: Final = re.compile(r"application/(?:[^/\s,]+\+)?json")
_UTF_8_NAMES: Final = frozenset({"utf-8", "utf8", "us-ascii"})


class JsonRoute(APIRoute):
    """A route whose function takes the request and one model, which is the JSON body.

    It refuses other bodies than JSON, reads the body with `parse` and validates it. FastAPI's own
    handler of a route uses another reader. It also looks for parameters in the path, the query, the
    headers and the cookies, which takes several times as long.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        model: Any = self.body_field and self.body_field.field_info.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(
                f"The function of POST {self.path} needs a parameter for its JSON body."
            )
        status = self.status_code or 200

        async def handle(request: Request) -> Response:
            refusal = _refusal(request.scope)
            if refusal is not None:
                return refusal
            body = await request.body()
            value = parse(body) if body else None
            if value is None:
                missing = [FieldError(field="body", message="Field required")]
                return problem_response(request.scope, 422, errors=missing)
            try:
                validated = model.model_validate(value)
            except ValidationError as error:
                errors = field_errors(error.errors(include_url=False, include_input=False), skip=0)
                return problem_response(request.scope, 422, errors=errors)
            answer = await self.endpoint(request, validated)
            content = answer.model_dump_json(exclude_defaults=self.response_model_exclude_defaults)
            return Response(content, status, media_type="application/json")

        return handle


def _refusal(scope: Scope) -> Response | None:
    headers = Headers(scope=scope)
    media_type, *parameters = headers.get("content-type", "").lower().split(";")
    if not _JSON_TYPE.fullmatch(media_type.strip()):
        return problem_response(
            scope,
            415,
            "The body must be JSON. Send it with the header 'content-type: application/json'.",
        )
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"')
        if name.strip() == "charset" and charset not in _UTF_8_NAMES:
            detail = f"The charset '{shown(charset)}' is not supported. Encode the body as UTF-8."
            return problem_response(scope, 415, detail)
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        return problem_response(
            scope,
            415,
            f"The content-encoding '{shown(encoding)}' is not supported. "
            "Send the body uncompressed.",
            headers={"accept-encoding": "identity"},
        )
    # A length that is no number does not matter here: the bytes are counted as they arrive.
    length = headers.get("content-length", "")
    digits = length.lstrip("0") if length.isascii() and length.isdecimal() else ""
    if len(digits) > len(str(MAX_REQUEST_BYTES)) or int(digits or 0) > MAX_REQUEST_BYTES:
        return problem_response(scope, *TOO_LARGE)
    return None


def parse(body: bytes) -> Any:
    """Parse a JSON text.

    A UTF-8 byte order mark at the start is ignored, which RFC 8259 allows.

    Raises
    ------
    ProblemError
        The body is not JSON, or has a form that is refused (400). The detail names the cause.
    """
    text = _decode(body)
    try:
        value = _DECODER.decode(text)
        # Only an escape sequence can have produced a surrogate, because the text is valid UTF-8.
        if "\\ud" in text or "\\uD" in text:
            _refuse_lone_surrogates(value)
    except json.JSONDecodeError as error:
        if "\0" in text:
            raise ProblemError(400, f"The request body {_UTF_16}.") from None
        raise ProblemError(
            400,
            f"The request body is not valid JSON: {error.msg} in line {error.lineno}, column "
            f"{error.colno}. Correct its syntax.",
        ) from None
    except RecursionError:
        raise ProblemError(
            400, "The request body is nested too deeply. No operation needs more than 4 levels."
        ) from None
    except ValueError:
        # Python refuses to convert more than 4300 digits, because the time grows quadratically.
        raise ProblemError(
            400, "The request body contains a number with too many digits. Shorten the number."
        ) from None
    return value


def _decode(body: bytes) -> str:
    try:
        return body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        for signature, cause in _SIGNATURES.items():
            if body.startswith(signature):
                raise ProblemError(400, f"The request body {cause}.") from None
        raise ProblemError(
            400,
            f"The request body is not valid UTF-8: the byte 0x{body[error.start]:02x} is wrong at "
            f"position {error.start}. Encode the body as UTF-8.",
        ) from None


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ProblemError(
            400,
            "The request body contains half of a surrogate pair, such as \\ud83d without the "
            "other half, which is no character. The text was probably cut in the middle of an "
            "emoji: cut it between characters.",
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    repeated = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    raise ProblemError(
        400,
        f"An object in the request body has the key '{shown(repeated)}' twice. Send each key once.",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ProblemError(
        400, f"The request body contains {name}, which is no JSON number. Send a finite number."
    )


# `json.loads` with these arguments would create a decoder for each request.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
