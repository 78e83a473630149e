"""Answers that a client may keep: they change only with the model or the release."""

import hashlib

from fastapi import Request, Response

_MAX_AGE_SECONDS = 300


def cacheable(request: Request, content: str, media_type: str = "application/json") -> Response:
    """Answer with an entity tag, or with 304 where the client has this content already.

    Parameters
    ----------
    request : Request
    content : str
    media_type : str
    """
    encoded = content.encode()
    tag = f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": f"public, max-age={_MAX_AGE_SECONDS}"}
    known = request.headers.get("if-none-match", "")
    # A gateway that compresses marks the tag as weak; the content is the same (RFC 9110, 13.1.2).
    if tag in {each.strip().removeprefix("W/") for each in known.split(",")} or known == "*":
        return Response(status_code=304, headers=headers)
    return Response(encoded, media_type=media_type, headers=headers)
