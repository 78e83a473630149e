"""What an answer to a request that cannot be served consists of."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from lambda_src.api.schema_types import Example


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="The field's path, or `body` for the whole request body.")
    message: str


EXAMPLE_PROBLEM: Final[Example] = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "max_tags: Input should be less than or equal to 5",
    "correlation_id": "JKJaXmPLvHcESHA=",
    "errors": [{"field": "max_tags", "message": "Input should be less than or equal to 5"}],
}


class Problem(BaseModel):
    """An error, in the form that RFC 9457 defines."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_PROBLEM]})

    type: str = "about:blank"
    title: str = Field(description="The name of the HTTP status.")
    status: int
    detail: str = Field(description="What is wrong, and what to do.")
    correlation_id: str = Field(description="Identifies the request in the service's log.")
    errors: list[FieldError] | None = Field(
        None, description="The wrong fields, if the request is not valid."
    )
