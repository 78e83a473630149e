"""The web page: its files, read once at import, and who gets them."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NamedTuple, Self

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
    def of(cls, text: str, media_type: str) -> Self:
        """Make an asset of a text."""
        content = text.encode()
        return cls(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _script(folder: Path) -> str:
    """Join the script's modules, those that others import first.

    One file, because a browser asks for many at once, and each at the same moment needs a function
    of its own to be started.
    """
    names = ("texts.js", "tools.js", "suggestions.js", "chosen.js", "page.js")
    joined = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    return re.sub(r"^import [^;]*;\n|^export ", "", joined, flags=re.MULTILINE)


_FOLDER: Final = Path(__file__).parent
ASSETS: Final = {
    "index.html": Asset.of((_FOLDER / "index.html").read_text(encoding="utf-8"), "text/html"),
    "page.css": Asset.of((_FOLDER / "page.css").read_text(encoding="utf-8"), "text/css"),
    "page.js": Asset.of(_script(_FOLDER / "script"), "text/javascript"),
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
    # A gateway that compresses marks the tag as weak; the content is the same.
    known = request.headers.get("if-none-match", "").replace("W/", "").split(",")
    if asset.etag in map(str.strip, known):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def make_router() -> APIRouter:
    """Make the operations that send what the page refers to."""
    router = APIRouter(include_in_schema=False)
    for name in ("page.css", "page.js"):
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
