"""Error answers as application/problem+json (RFC 9457), and their part of the OpenAPI document."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from lambda_src.api.correlation import correlation_id
from lambda_src.api.problem_schemas import FieldError, Problem

MEDIA_TYPE = "application/problem+json"
# Before Python 3.13, the standard library has older names for these than RFC 9110.
_STATUS_NAMES = {413: "Content Too Large", 422: "Unprocessable Content"}
_MAX_SHOWN: Final = 64
_NOT_SHOWN: Final = re.compile(r"[^\w ./:;,+@~%*?!$()\[\]{}=-]")


class ProblemError(HTTPException):
    """An error that the caller can correct; `detail` says how."""


def problem_response(
    scope: Scope,
    status: int,
    detail: str = "",
    *,
    headers: dict[str, str] | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """Build an error response; `problem` describes the parameters."""
    content = problem(scope, status, detail, errors=errors).model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def problem(
    scope: Scope, status: int, detail: str = "", *, errors: list[FieldError] | None = None
) -> Problem:
    """Describe an error.

    Parameters
    ----------
    scope : ASGI scope
        The scope of the request that failed.
    status : int
        The HTTP status.
    detail : str
        What is wrong and what to do. If it is empty, the first three field errors are the detail.
    errors : list of FieldError, optional
        The wrong fields of the request.
    """
    return Problem(
        title=_status_name(status),
        status=status,
        detail=detail or "; ".join(f"{each.field}: {each.message}" for each in (errors or [])[:3]),
        correlation_id=correlation_id(scope),
        errors=errors,
    )


def _status_name(status: int) -> str:
    return _STATUS_NAMES.get(status) or HTTPStatus(status).phrase


def shown(text: str) -> str:
    r"""Return the beginning of a caller's text as a problem may repeat it.

    Characters that could act where somebody displays the problem are replaced by ``?``: control
    characters, characters that change the direction of text, quotes, and those of HTML and of
    terminals.

    Examples
    --------
    >>> shown("/caf\u00e9<script>\r\n")
    '/caf\u00e9?script???'
    """
    beginning = _NOT_SHOWN.sub("?", text[:_MAX_SHOWN])
    return beginning if len(text) <= _MAX_SHOWN else f"{beginning}..."


def field_errors(validation_errors: Sequence[Any], *, skip: int) -> list[FieldError]:
    """Describe the wrong fields of a request, without their content.

    Parameters
    ----------
    validation_errors : sequence of dict
        Pydantic's errors. Their ``input`` and ``ctx`` may hold the question's text, so neither is
        used.
    skip : int
        How many leading parts of each field's path to leave out, such as FastAPI's ``body``.
    """
    return [
        FieldError(
            field=".".join(shown(str(part)) for part in each["loc"][skip:]) or "body",
            message=each["msg"].removeprefix("Value error, "),
        )
        for each in validation_errors[:20]
    ]


def install(app: FastAPI) -> None:
    """Make the application answer its own errors and the framework's errors as problems."""

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, error: HTTPException) -> Response:
        detail = error.detail
        if not isinstance(error, ProblemError):
            path = shown(request.scope["path"])
            if error.status_code == 404:
                detail = f"The path {path} does not exist. See /docs for the paths that exist."
            elif error.status_code == 405:
                detail = f"{path} does not support {shown(request.method)}. See /docs."
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            headers["allow"] = _allowed_methods(headers["allow"])
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        return problem_response(request.scope, error.status_code, detail, headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
        errors = field_errors(error.errors(), skip=1)
        return problem_response(request.scope, 422, errors=errors)


def _allowed_methods(allow: str) -> str:
    """Add the methods that every route has to those in the framework's ``allow`` header."""
    methods = {each.strip() for each in allow.split(",")} | {"OPTIONS"}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def add_to_openapi(document: dict[str, Any]) -> dict[str, Any]:
    """Declare the problems in an OpenAPI document, instead of FastAPI's own error schema."""
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem_schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem_schema.pop("$defs") | {"Problem": problem_schema}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in document["paths"].values():
        for method, operation in methods.items():
            for status in sorted(_possible_statuses(method, operation)):
                operation["responses"][str(status)] = {
                    "description": _status_name(status),
                    "content": content,
                }
    return document


def _possible_statuses(method: str, operation: dict[str, Any]) -> set[int]:
    """Return the errors of every operation of its kind, and those that the route declares."""
    declared = {int(status) for status in operation["responses"] if status >= "400"}
    if method == "post":
        return declared | {400, 413, 415, 422, 500, 503}
    return declared | ({422, 500} if operation.get("parameters") else {500})
