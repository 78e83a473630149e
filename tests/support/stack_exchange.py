"""A local server that behaves like the Stack Exchange API 2.3, with its errors and limits."""

import gzip
import html
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "a-valid-key"
_FILTERS = {"default", "withbody", "total"}
_QUESTION_OPTIONS = {
    *("site", "key", "filter", "page", "pagesize", "sort", "order", "fromdate", "todate"),
}


def question(number: int, created: int, **changes: Any) -> dict[str, Any]:
    """A question as the server stores it: nothing is escaped."""
    return {
        "question_id": number,
        "title": f'How do I "sort" list {number}?',
        "body": f"<p>My list {number} isn't sorted: <code>a &lt; b</code></p>",
        "tags": ["python", "sorting"],
        "creation_date": created,
        "view_count": 7 * number,
        "score": 1,
        "answer_count": 0,
        "is_answered": False,
        "content_license": "CC BY-SA 4.0",
        "owner": {"user_id": 1000 + number, "display_name": "Ann & Bob"},
        "link": f"https://cooking.stackexchange.com/questions/{number}",
    } | changes


class FakeClock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class StackExchangeServer:
    """The state of the server: what a test prepares, and what it looks at afterwards."""

    def __init__(
        self, questions: Sequence[dict[str, Any]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.questions = list(questions)
        self.synonyms: list[tuple[str, str]] = []
        self.url = ""
        self.quota = 300
        self.backoffs: deque[int] = deque()
        """Each successful answer to /questions takes the next one."""
        self.failures: deque[str] = deque()
        """What happens to the next requests: ``html``, ``drop``, ``cut``, ``temporary``,
        ``internal``, ``another`` (an answer of another server), ``throttle:SECONDS``, or ``ok``."""
        self.deletions: dict[int, set[int]] = {}
        """After so many requests for questions, the questions with these ids are deleted."""
        self.before_answer: Callable[[], object] = lambda: None
        """Called before each page of questions."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.counts: Counter[str] = Counter()
        self.violations = 0
        """How often a client came back before the backoff was over."""
        self._now = now
        self._not_before = 0.0
        self._lock = Lock()

    def answer(self, method: str, options: dict[str, str]) -> tuple[int, bytes] | None:
        """Status and body of an answer; None drops the connection."""
        with self._lock:
            self.requests.append((method, options))
            self.counts[method] += 1
            failure = self.failures.popleft() if self.failures else "ok"
            if failure == "drop":
                return None
            return self._failed(failure) or self._refused(options) or self._served(method, options)

    def _failed(self, failure: str) -> tuple[int, bytes] | None:
        if failure.startswith("throttle:"):
            return self._throttled(int(failure.removeprefix("throttle:")))
        return {
            "html": (429, b"<html><body>Too many requests</body></html>"),
            "another": (200, b"{}"),
            "cut": (200, b'{"items": ['),
            "temporary": self._error(503, "temporarily_unavailable", "try again later"),
            "internal": self._error(500, "internal_error", "an error was logged"),
        }.get(failure)

    def _refused(self, options: dict[str, str]) -> tuple[int, bytes] | None:
        if self.quota <= 0:
            return self._throttled(43_210)
        self.quota -= 1
        if options.get("key", KEY) != KEY:
            return self._error(400, "bad_parameter", "`key` doesn't match a known application")
        if options.get("site") != "cooking":
            return self._error(400, "bad_parameter", f"No site found for {options.get('site')!r}")
        return None

    def _served(self, method: str, options: dict[str, str]) -> tuple[int, bytes]:
        methods = {
            "info": self._info,
            "questions": self._questions,
            "tags/synonyms": self._synonyms,
        }
        if method not in methods:
            return self._error(404, "no_method", f"/{method} does not exist")
        return methods[method](options)

    def _info(self, options: dict[str, str]) -> tuple[int, bytes]:
        del options
        return self._success({"items": [{"total_questions": len(self.questions)}]})

    def _synonyms(self, options: dict[str, str]) -> tuple[int, bytes]:
        items = [{"from_tag": one, "to_tag": other} for one, other in self.synonyms]
        return self._page(items, options)

    def _questions(self, options: dict[str, str]) -> tuple[int, bytes]:
        if unknown := options.keys() - _QUESTION_OPTIONS:
            return self._error(400, "bad_parameter", f"unknown {sorted(unknown)}")
        if options.get("filter", "default") not in _FILTERS:
            return self._error(400, "bad_parameter", "Invalid filter specified")
        if self._now() < self._not_before:
            self.violations += 1
            return self._throttled(30)
        first, last = int(options.get("fromdate", 0)), int(options.get("todate", 2**40))
        found = [each for each in self.questions if first <= each["creation_date"] <= last]
        if options.get("filter") == "total":
            return self._success({"total": len(found)}, has_wrapper=False)
        self.before_answer()
        if options.get("sort") == "creation":
            found.sort(
                key=lambda each: (each["creation_date"], each["question_id"]),
                reverse=options.get("order", "desc") == "desc",
            )
        hidden = set() if options.get("filter") == "withbody" else {"body"}
        shown = [_escaped({k: v for k, v in each.items() if k not in hidden}) for each in found]
        answer = self._page(shown, options)
        deleted = self.deletions.get(self.counts["questions"], set())
        self.questions = [each for each in self.questions if each["question_id"] not in deleted]
        return answer

    def _page(self, items: list[dict[str, Any]], options: dict[str, str]) -> tuple[int, bytes]:
        page, size = int(options.get("page", 1)), int(options.get("pagesize", 30))
        if not 1 <= size <= 100:
            return self._error(400, "bad_parameter", "`pagesize` must be from 0 to 100")
        if page > 25 and "key" not in options:
            return self._error(
                403, "access_denied", "page above 25 requires access token or app key"
            )
        part = items[(page - 1) * size : page * size]
        backoff = self.backoffs.popleft() if self.backoffs else 0
        if backoff:
            self._not_before = self._now() + backoff
        more = {"backoff": backoff} if backoff else {}
        return self._success({"items": part, "has_more": page * size < len(items), **more})

    def _success(self, answer: dict[str, Any], *, has_wrapper: bool = True) -> tuple[int, bytes]:
        wrapper = {"quota_max": 300, "quota_remaining": self.quota} if has_wrapper else {}
        return 200, json.dumps(answer | wrapper).encode()

    def _throttled(self, seconds: int) -> tuple[int, bytes]:
        text = f"too many requests from this IP, more requests available in {seconds} seconds"
        return self._error(502, "throttle_violation", text)

    @staticmethod
    def _error(error_id: int, name: str, text: str) -> tuple[int, bytes]:
        error = {"error_id": error_id, "error_name": name, "error_message": text}
        return 400, json.dumps(error).encode()


def _escaped(item: dict[str, Any]) -> dict[str, Any]:
    owner = dict(item.get("owner") or {})
    if "display_name" in owner:
        owner["display_name"] = html.escape(owner["display_name"])
    return item | {"title": html.escape(item["title"]), "owner": owner}


@contextmanager
def serve_stack_exchange(
    server: StackExchangeServer, host: str = "127.0.0.1"
) -> Iterator[StackExchangeServer]:
    """Run the server on a free port of this machine; its `url` is that of the API."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            options = dict(parse_qsl(parts.query))
            answer = server.answer(parts.path.removeprefix("/2.3/"), options)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            is_html = body.startswith(b"<html")
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_html else "application/json")
            if not is_html:  # a ban comes from a server in front of the API
                body = gzip.compress(body)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    http = ThreadingHTTPServer((host, 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://{host}:{http.server_port}/2.3"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
