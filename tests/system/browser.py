"""A real Chromium, and a visit to a page that records errors and requests."""

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
    """Start a browser. Without an installed Chromium, the test is skipped."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(
            f"PATH has none of {', '.join(_NAMES)}: install one (Debian: apt-get install chromium)"
        )
    # Chromium has no sandbox for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """A page in a new browser context, with its errors and requests.

    Attributes
    ----------
    page : Page
        The page.
    complaints : list of str
        Errors of scripts, and the console's errors and warnings. These include what the page's
        Content-Security-Policy blocks.
    requests : list of str
        The URLs that the page requested.
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
        """The hosts of all requests."""
        parts = map(urlsplit, self.requests)
        return {each.netloc for each in parts if each.scheme != "data"}
