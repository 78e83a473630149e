"""A client of the Stack Exchange API 2.3.

The API has habits that a plain HTTP client does not expect:

- Every error has the HTTP status 400. ``error_id`` says which error it is.
- A successful answer may hold ``backoff``: so many seconds must pass before the next request to
  the same method.
- Requests per day are limited by address or key. The answers say how many are left.
- A client that sends too much is banned for a while. A banned client gets an error, an HTML page
  or no answer at all.
- Answers are always compressed, errors too.
- Titles and names are HTML-escaped, bodies are HTML.
"""

import gzip
import html
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any, Final, NamedTuple

from model_build.collect.errors import CollectError, QuotaUsedUpError

BASE_URL: Final = "https://api.stackexchange.com/2.3"
PAGE_SIZE: Final = 100
"""The largest number of questions in one answer."""
_FILTER: Final = "withbody"
"""A filter of the API itself: the usual fields, and the body. Titles are HTML-escaped."""
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)

_TIMEOUT: Final = 60
_MIN_INTERVAL: Final = 0.1
"""Seconds between requests. More than 30 requests a second lead to a ban."""
_BACKOFF_MARGIN: Final = 2
"""Seconds to wait longer than ``backoff`` asks for: the clocks may differ."""
_MAX_BACKOFF: Final = 3600
"""No answer makes the client wait longer. The API itself asks for seconds or minutes."""
_WAITS: Final = (2, 10, 30, 60, 120)
"""Seconds to wait after each failure in a row, until the client gives up."""
_MAX_THROTTLE: Final = 600
"""If requests are only available after more seconds than this, the day's quota is used up."""
_GO_ON_TOMORROW: Final = (
    "What was collected so far is kept. Run the same command again tomorrow: it goes on there. "
    "A key (--key) raises the quota to 10,000 requests a day."
)
_AVAILABLE_IN: Final = re.compile(r"available in ([0-9]{1,9}) second")
_MAX_SHOWN: Final = 200
"""Characters of a server's message that are shown."""
_THROTTLED: Final = 502
_TEMPORARY: Final = frozenset({500, 503})
"""``error_id`` of errors that may pass: internal_error and temporarily_unavailable."""
_ADVICE: Final = {
    400: "Check the name of the site and the key.",
    402: "Check the key.",
    403: "Get a key at https://stackapps.com and give it with --key.",
}
"""What to do, by ``error_id``."""


class Quota(NamedTuple):
    """The requests of a day."""

    remaining: int
    maximum: int


class Page(NamedTuple):
    """One answer with questions, oldest first."""

    items: list[dict[str, Any]]
    """Each has at least ``question_id`` and ``creation_date``, which are whole numbers."""
    has_more: bool


class _FailedAttemptError(Exception):
    """A request that is worth repeating, after some seconds."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class StackExchange:
    """Asks the API about one site. Waits and repeats a request where the API wants that.

    Parameters
    ----------
    site : str
        As the API names it, such as ``cooking`` or ``stackoverflow``.
    base_url : str
        The address of the API.
    key : str, optional
        A key of an application. It raises the quota from 300 to 10,000 requests a day.
    now, sleep : callable
        The clock, in seconds.
    say : callable
        Shows a line to the user, such as why the client waits.

    Raises
    ------
    CollectError
        The site or the address is not a possible one. Every method raises it if the API refuses a
        request, or does not answer after several attempts.
    """

    def __init__(
        self,
        site: str,
        *,
        base_url: str = BASE_URL,
        key: str | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        say: Callable[[str], object] = lambda line: print(line, file=sys.stderr),
    ) -> None:
        if not _SITE.fullmatch(site):
            raise CollectError(
                f"{site!r} is not the name of a site. Names look like cooking or stackoverflow."
            )
        self.site = site
        self._base_url = checked_address(base_url)
        self._key = key
        self._now, self._sleep, self._say = now, sleep, say
        self._not_before = dict[str, float]()
        self._last_request = float("-inf")
        self.remaining: int | None = None
        """How many requests the last answer left, if it said so."""

    def quota(self) -> Quota:
        """Ask how many requests are left today."""
        answer = self._ask("info", {})
        remaining, maximum = answer.get("quota_remaining"), answer.get("quota_max")
        if not isinstance(remaining, int) or not isinstance(maximum, int) or maximum < 1:
            raise CollectError(
                f"{self._base_url}/info: the answer has no quota_remaining and no quota_max. "
                "Check the address of the API."
            )
        return Quota(remaining, maximum)

    def count(self, since: int, until: int) -> int:
        """Ask how many questions were created from `since` to `until` (seconds since 1970)."""
        answer = self._ask("questions", _dates(since, until) | {"filter": "total"})
        total = answer.get("total")
        if not isinstance(total, int):
            raise CollectError(
                f"{self._base_url}/questions: the answer has no total. "
                "Check the address of the API."
            )
        return total

    def questions(self, since: int, until: int, page: int = 1) -> Page:
        """Ask for up to 100 questions that were created from `since` to `until`.

        Parameters
        ----------
        since, until : int
            Seconds since 1970. Questions of both seconds may be among the items.
        page : int
            From 1. Without a key, the API refuses pages above 25.
        """
        options = {
            "sort": "creation",
            "order": "asc",
            "page": page,
            "pagesize": PAGE_SIZE,
            "filter": _FILTER,
        }
        answer = self._ask("questions", _dates(since, until) | options)
        items = self._items(answer)
        for item in items:
            if not all(type(item.get(name)) is int for name in ("question_id", "creation_date")):
                raise CollectError(
                    f"{self._base_url}/questions: a question has no question_id or no "
                    "creation_date. Check the address of the API."
                )
        return Page(items, answer.get("has_more") is True)

    def synonyms(self) -> Iterator[tuple[str, str]]:
        """Yield each synonym of a tag with the tag that it stands for."""
        page, has_more = 1, True
        while has_more:
            answer = self._ask("tags/synonyms", {"page": page, "pagesize": PAGE_SIZE})
            for item in self._items(answer):
                synonym, tag = item.get("from_tag"), item.get("to_tag")
                if isinstance(synonym, str) and isinstance(tag, str):
                    yield html.unescape(synonym), html.unescape(tag)
            page, has_more = page + 1, answer.get("has_more") is True

    def row(self, item: dict[str, Any]) -> dict[str, object]:
        """Return a question of the API by the fields of `CollectedQuestion.from_row`."""
        found = item.get("owner")
        owner: dict[str, Any] = found if isinstance(found, dict) else {}
        return {
            "id": item.get("question_id"),
            "site": self.site,
            "title": _unescaped(item.get("title")),
            "body_html": item.get("body"),
            "tags": item.get("tags"),
            "creation_date": item.get("creation_date"),
            "view_count": item.get("view_count"),
            "score": item.get("score"),
            "answer_count": item.get("answer_count"),
            "owner_name": _unescaped(owner.get("display_name")),
            "owner_id": owner.get("user_id"),
            "content_license": item.get("content_license"),
            "last_edit_date": item.get("last_edit_date"),
        }

    def _items(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        items = answer.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise CollectError(
                f"{self._base_url}: the answer has no list of items. Check the address of the API."
            )
        return items

    def _ask(self, method: str, options: dict[str, Any]) -> dict[str, Any]:
        """Send a request until it succeeds, or until it is clear that it will not."""
        waits = iter(_WAITS)
        while True:
            try:
                return self._attempt(method, options)
            except _FailedAttemptError as error:
                planned = next(waits, None)
                if planned is None:
                    raise CollectError(
                        f"{self._base_url}/{method} failed {len(_WAITS) + 1} times, at last with: "
                        f"{error}. What was collected so far is kept. Run the same command again "
                        "later; it goes on from there."
                    ) from error
                seconds = max(planned, error.seconds or 0)
                self._say(f"{method}: {error}; waiting {seconds:.0f} s")
                self._sleep(seconds)

    def _attempt(self, method: str, options: dict[str, Any]) -> dict[str, Any]:
        if self.remaining is not None and self.remaining <= 0:
            raise QuotaUsedUpError(f"The API allows no more requests today. {_GO_ON_TOMORROW}")
        self._wait_for_turn(method)
        query = {"site": self.site, **options} | ({"key": self._key} if self._key else {})
        status, body = self._send(f"{self._base_url}/{method}?{urllib.parse.urlencode(query)}")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise _FailedAttemptError(
                f"HTTP {status} with something else than a JSON object, as a banned client gets"
            )
        if "error_id" in answer or status >= 400:
            raise self._error(answer, status)
        if type(answer.get("quota_remaining")) is int:
            self.remaining = answer["quota_remaining"]
        backoff = answer.get("backoff")
        if isinstance(backoff, int | float) and backoff > 0:
            seconds = min(backoff, _MAX_BACKOFF) + _BACKOFF_MARGIN
            self._not_before[method] = self._now() + seconds
        return answer

    def _wait_for_turn(self, method: str) -> None:
        turn = max(self._last_request + _MIN_INTERVAL, self._not_before.get(method, float("-inf")))
        seconds = turn - self._now()
        if seconds > 0:
            self._sleep(seconds)
        self._last_request = self._now()

    def _send(self, url: str) -> tuple[int, bytes]:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "etiquette-collect"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (see checked_address)
        try:
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
                    status, body = response.status, response.read()
            except urllib.error.HTTPError as error:
                with error:
                    status, body = error.code, error.read()
            return status, _decompressed(body)
        except urllib.error.URLError as error:
            raise _FailedAttemptError(f"no connection ({_shown(str(error.reason))})") from error
        except (OSError, HTTPException, EOFError, zlib.error) as error:
            reason = _shown(str(error)) or type(error).__name__
            raise _FailedAttemptError(f"the connection broke off ({reason})") from error

    def _error(self, answer: dict[str, Any], status: int) -> Exception:
        error_id = answer.get("error_id")
        if type(error_id) is not int:
            error_id = status
        text = _shown(
            f"{answer.get('error_name', 'error')}: {answer.get('error_message', 'no message')}"
        )
        if error_id == _THROTTLED:
            found = _AVAILABLE_IN.search(str(answer.get("error_message", "")))
            seconds = int(found[1]) if found else 0
            if seconds > _MAX_THROTTLE:
                return QuotaUsedUpError(
                    f"The API answers again in {_hours(seconds)} ({text}). {_GO_ON_TOMORROW}"
                )
            return _FailedAttemptError(text, seconds + 1 if seconds else None)
        if error_id in _TEMPORARY:
            return _FailedAttemptError(text)
        advice = _ADVICE.get(error_id, "Check the options of the command.")
        return CollectError(
            f"{self._base_url} refused the request for the site {self.site!r} "
            f"(error {error_id}, {text}). {advice}"
        )


def checked_address(url: str) -> str:
    """Return an HTTP address without a slash at its end.

    Raises
    ------
    CollectError
        It is not an address that begins with http:// or https://.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        raise CollectError(f"{url!r} is not an address. Give one such as {BASE_URL}.")
    return url.rstrip("/")


def _shown(text: str) -> str:
    """Return the beginning of a server's text without characters that act on a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text[:_MAX_SHOWN])


def _dates(since: int, until: int) -> dict[str, Any]:
    return {"fromdate": since, "todate": until}


def _unescaped(value: object) -> object:
    return html.unescape(value) if isinstance(value, str) else value


def _decompressed(body: bytes) -> bytes:
    """Decompress gzip or deflate by its first bytes; JSON and HTML begin with others."""
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body)
    if body[:1] == b"\x78":
        return zlib.decompress(body)
    return body


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
