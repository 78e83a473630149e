"""Every error as application/problem+json (RFC 9457), and said so in the OpenAPI document."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from lambda_src.api.correlation import correlation_id
from lambda_src.api.schemas import FieldError, Problem

MEDIA_TYPE = "application/problem+json"
# Until Python 3.13, the standard library has the names that RFC 9110 replaced.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


class ProblemError(HTTPException):
    """An error that the caller can mend: `detail` says how."""


def problem_response(
    scope: Scope,
    status: int,
    detail: str = "",
    *,
    headers: dict[str, str] | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """Make an error response."""
    content = problem(scope, status, detail, errors=errors).model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def problem(
    scope: Scope, status: int, detail: str = "", *, errors: list[FieldError] | None = None
) -> Problem:
    """Describe an error; without a detail, by what is wrong with the fields."""
    return Problem(
        title=_phrase(status),
        status=status,
        detail=detail or "; ".join(f"{each.field}: {each.message}" for each in (errors or [])[:3]),
        correlation_id=correlation_id(scope),
        errors=errors,
    )


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def field_errors(found: Sequence[Any], *, skip: int) -> list[FieldError]:
    """Say what is wrong with a request's fields, without what was in them.

    Parameters
    ----------
    found : sequence of dict
        Pydantic's errors: their input and context hold the question's text and stay out.
    skip : int
        Leading parts of a field's place that say nothing, such as ``body``.
    """
    return [
        FieldError(field=".".join(map(str, each["loc"][skip:])) or "body", message=each["msg"])
        for each in found[:20]
    ]


def install(app: FastAPI) -> None:
    """Make the application answer its own and the framework's errors as problems."""

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, error: HTTPException) -> Response:
        details = {
            404: f"There is nothing at {request.url.path}. See /docs for what there is.",
            405: f"{request.method} is not possible here. See /docs.",
        }
        known = isinstance(error, ProblemError)
        detail = error.detail if known else details.get(error.status_code, error.detail)
        headers = dict(error.headers) if error.headers else None
        return problem_response(request.scope, error.status_code, detail, headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        if any(each["type"] == "json_invalid" for each in found):
            return problem_response(request.scope, 400, "The request's body is not valid JSON.")
        return problem_response(request.scope, 422, errors=field_errors(found, skip=1))


def document(schema: dict[str, Any]) -> dict[str, Any]:
    """Declare the problems in an OpenAPI document, in place of FastAPI's own error schema."""
    schemas = schema["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= shape.pop("$defs") | {"Problem": shape}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in schema["paths"].values():
        for method, operation in methods.items():
            for status in _possible(method, operation):
                operation["responses"][str(status)] = {
                    "description": _phrase(status),
                    "content": content,
                }
    return schema


def _possible(method: str, operation: dict[str, Any]) -> tuple[int, ...]:
    if method == "post":
        return (400, 413, 415, 422, 500)
    return (422, 500) if operation.get("parameters") else (500,)
