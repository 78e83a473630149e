r"""JSON for log lines that people read in a terminal.

JSON escapes the control characters below U+0020, but not the others. A terminal obeys U+009B as it
obeys an escape sequence, some readers of lines end a line at U+2028, and characters that change the
direction of text hide what a line says. Each of them becomes an escape sequence such as ``\u009b``,
which is the same JSON value.
"""

import json
import re
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_json

_NOT_PRINTABLE: Final = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def write_json(value: Any) -> str:
    """Write a value as JSON in one line; what JSON does not know is written as text."""
    try:
        # It takes a third of the time of Python's own writer.
        text = to_json(value, fallback=str).decode()
    except PydanticSerializationError:  # Half of a surrogate pair, which only JSON can write.
        text = json.dumps(value, default=str, separators=(",", ":"))
    return printable(text)


def printable(text: str) -> str:
    r"""Escape the characters of a JSON text that a terminal could obey.

    Examples
    --------
    >>> printable('"\x9b31m red"')
    '"\\u009b31m red"'
    """
    # Most lines are printable ASCII, and each request writes one.
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_PRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
