"""Conditional GET: a client that already has the current content gets 304 instead of it."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, Self

from fastapi import Request, Response


class TaggedContent(NamedTuple):
    """The content of an answer with its entity tag (RFC 9110, section 8.8.3)."""

    content: bytes
    media_type: str
    etag: str
    """A hash of the content, in double quotes as the header needs it."""

    @classmethod
    def from_text(cls, text: str, media_type: str = "application/json") -> Self:
        """Encode a text as UTF-8 and compute its entity tag."""
        content = text.encode()
        return cls(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def conditional_response(
    request: Request, tagged: TaggedContent, headers: Mapping[str, str]
) -> Response:
    """Answer with the content, or with 304 if ``if-none-match`` contains its entity tag.

    Parameters
    ----------
    request : Request
        The request, for its ``if-none-match`` header.
    tagged : TaggedContent
        The current content.
    headers : mapping
        Headers that both answers carry, such as ``cache-control``.
    """
    headers = {**headers, "etag": tagged.etag}
    client_has = request.headers.get("if-none-match", "")
    # A gateway that compresses an answer marks its tag as weak (W/). If-None-Match compares
    # weakly, so such a tag still matches (RFC 9110, section 13.1.2).
    tags = {tag.strip().removeprefix("W/") for tag in client_has.split(",")}
    if tagged.etag in tags or client_has == "*":
        return Response(status_code=304, headers=headers)
    return Response(tagged.content, media_type=tagged.media_type, headers=headers)
