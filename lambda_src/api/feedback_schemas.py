"""The request and the answer of the feedback operation, each with an example."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lambda_src.api.schema_types import EXAMPLE_ID, Tag
from lambda_src.tagger.rules import MAX_TAGS


class FeedbackRequest(BaseModel):
    """The tags that a question got in the end: `accepted`, `final_tags` or both."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "anyOf": [
                {"required": [field], "properties": {field: {"type": "array"}}}
                for field in ("final_tags", "accepted")
            ],
            "examples": [{"prediction_id": EXAMPLE_ID, "final_tags": ["python", "dictionary"]}],
        },
    )

    prediction_id: str = Field(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The `prediction_id` from the answer of `POST /predict`.",
    )
    accepted: list[Tag] | None = Field(
        None, max_length=MAX_TAGS, description="The suggested tags that the person accepted."
    )
    final_tags: list[Tag] | None = Field(
        None,
        min_length=1,
        max_length=MAX_TAGS,
        description="All tags of the finished question, including tags that were not suggested. "
        "A synonym is recorded as the tag that it means.",
    )

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        if self.accepted is None and self.final_tags is None:
            raise ValueError("Send 'final_tags', 'accepted' or both.")
        return self


class FeedbackReceipt(BaseModel):
    """Confirms that the feedback was recorded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prediction_id": EXAMPLE_ID, "unknown_tags": []}]}
    )

    prediction_id: str
    unknown_tags: list[str] = Field(
        description="Tags of the feedback that the model cannot suggest."
    )
