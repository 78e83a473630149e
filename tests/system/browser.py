"""A real Chromium, and a visit to a page with everything that goes wrong in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; the tests that need one are put aside where none is installed."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is on PATH (Debian: apt-get install chromium)")
    # Root has no sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """A page in a browser of its own, and what happened in it.

    Attributes
    ----------
    page : Page
    complaints : list of str
        Errors of scripts, and all that the console warns of: among it what the page's
        Content-Security-Policy has blocked.
    requests : list of str
        The addresses that were asked for.
    """

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        self.page.on("request", lambda request: self.requests.append(request.url))

    def hosts(self) -> set[str]:
        """The hosts that were asked."""
        parts = map(urlsplit, self.requests)
        return {each.netloc for each in parts if each.scheme != "data"}
