"""The types of fields that several requests and answers have, and what their examples share."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

# Stack Exchange's own rule for tags, without control characters and what nobody sees. It keeps tags
# harmless in log lines, in terminals and in HTML.
_TAG: Final = (
    r"^[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"<>|,\"'&]{1,35}$"
)


def _tag(value: str) -> str:
    if not re.fullmatch(_TAG, value):
        raise ValueError(
            "A tag has 1 to 35 characters. Blanks, control characters, commas, quotation marks, "
            "bars, ampersands and angle brackets are not allowed."
        )
    return value


Tag = Annotated[str, AfterValidator(_tag), WithJsonSchema({"type": "string", "pattern": _TAG})]
Confidence = Annotated[float, Field(ge=0, le=1)]


def _whole_number(value: object) -> object:
    # JSON Schema counts 3.0 as an integer. Strict validation does not.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WholeNumber = Annotated[int, BeforeValidator(_whole_number)]

Example = dict[str, Any]
EXAMPLE_ID: Final = "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a"
"""The identifier of a prediction in all examples."""
