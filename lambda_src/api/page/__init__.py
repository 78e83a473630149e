"""The web page: its files, which are read once at import, and the clients that get it."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from lambda_src.api.caching import TaggedContent, conditional_response

CONTENT_SECURITY_POLICY: Final = "; ".join(
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
"""Forbids inline scripts and styles, other hosts and frames, and creating HTML from text."""

_HEADERS: Final = {
    # With no-cache, the browser asks each time whether its copy is current. So the page and its
    # script always come from the same release.
    "cache-control": "no-cache",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def _join_scripts(folder: Path) -> str:
    """Join the script's modules into one file; a module comes after those that it imports.

    A browser requests all the files of a page at once, and Lambda may have to start one more copy
    of the function for each of them. So the page needs few files.
    """
    joined = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return re.sub(r"^import [^;]*;\n|^export ", "", joined, flags=re.MULTILINE)


_FOLDER: Final = Path(__file__).parent
_SCRIPTS: Final = (
    "translations.js",
    "sample-questions.js",
    "language.js",
    "dom.js",
    "api.js",
    "suggestion-list.js",
    "chosen-tags.js",
    "page.js",
)
FILES: Final = {
    name: TaggedContent.from_text(text, media_type)
    for name, text, media_type in (
        ("index.html", (_FOLDER / "index.html").read_text(encoding="utf-8"), "text/html"),
        ("page.css", (_FOLDER / "page.css").read_text(encoding="utf-8"), "text/css"),
        ("page.js", _join_scripts(_FOLDER / "script"), "text/javascript"),
    )
}
"""The files of the page, by name."""


def prefers_html(accept: str) -> bool:
    """Return whether an Accept header prefers HTML to JSON, as a browser's does.

    Parameters
    ----------
    accept : str
        The value of the header.

    Examples
    --------
    >>> prefers_html("text/html,application/xml;q=0.9,*/*;q=0.8")
    True
    >>> prefers_html("*/*")
    False
    """
    return _quality(accept, "text/html") > _quality(accept, "application/json")


def respond(request: Request, name: str) -> Response:
    """Answer with a file of the page, or with 304 if the client has it already.

    Parameters
    ----------
    request : Request
        The request, for its ``if-none-match`` header.
    name : str
        A key of `FILES`.
    """
    headers = {**_HEADERS, "vary": "accept"} if name == "index.html" else _HEADERS
    return conditional_response(request, FILES[name], headers)


def make_router() -> APIRouter:
    """Build the routes for the files that the page refers to."""
    router = APIRouter(include_in_schema=False)
    for name in ("page.css", "page.js"):
        router.add_api_route(f"/{name}", _route(name))
    return router


def _route(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return respond(request, name)

    return send


def _quality(accept: str, media_type: str) -> float:
    """Return the quality, from 0 to 1, that an Accept header gives a media type.

    The most specific range that matches the type counts (RFC 9110, section 12.5.1).
    """
    specificity = {media_type: 3, media_type.partition("/")[0] + "/*": 2, "*/*": 1}
    best = (0, 0.0)
    for each in accept.lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            best = max(best, (specificity.get(name, 0), float(quality)))
        except ValueError:
            continue
    return best[1] if best[0] else 0.0
