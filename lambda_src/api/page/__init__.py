"""The web page: its files, read once at import, and who gets them."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""No inline script or style, no other host, no frame; markup is never made of text."""

_HEADERS: Final = {
    # Asked for again each time, answered with 304: script and page are always of one release.
    "cache-control": "no-cache",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Asset(NamedTuple):
    """A file of the page as it is sent."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def read(cls, name: str) -> "Asset":
        """Read a file that lies beside this module."""
        content = (Path(__file__).parent / name).read_bytes()
        return cls(
            content,
            _MEDIA_TYPES[name.rpartition(".")[2]],
            f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        )


_MEDIA_TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
ASSETS: Final = {
    name: Asset.read(name) for name in ("index.html", "page.css", "page.js", "page-texts.js")
}


def prefers_page(accept: str) -> bool:
    """Whether a client that accepts this is a browser: HTML before JSON.

    Examples
    --------
    >>> prefers_page("text/html,application/xml;q=0.9,*/*;q=0.8")
    True
    >>> prefers_page("*/*")
    False
    """
    return _quality(accept, "text/html") > _quality(accept, "application/json")


def answer(request: Request, name: str) -> Response:
    """Send a file of the page, or 304 to a client that has it."""
    asset = ASSETS[name]
    headers = _HEADERS | {"etag": asset.etag}
    if name == "index.html":
        headers["vary"] = "accept"
    known = request.headers.get("if-none-match", "").replace("W/", "").split(",")
    if asset.etag in map(str.strip, known):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def make_router() -> APIRouter:
    """Make the operations that send what the page refers to."""
    router = APIRouter(include_in_schema=False)
    for name in ASSETS.keys() - {"index.html"}:
        router.add_api_route(f"/{name}", _sender(name))
    return router


def _sender(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return answer(request, name)

    return send


def _quality(accept: str, media_type: str) -> float:
    """What an Accept header thinks of a type; its most specific range counts (RFC 9110, 12.5.1)."""
    ranges = {media_type: 3, media_type.partition("/")[0] + "/*": 2, "*/*": 1}
    best = (0, 0.0)
    for each in accept.lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            best = max(best, (ranges.get(name, 0), float(quality)))
        except ValueError:
            continue
    return best[1] if best[0] else 0.0
