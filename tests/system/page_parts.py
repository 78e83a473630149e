"""Locators for the parts of the web page, and a replacement for the API."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Route

from tests.system.browser import Visit


def tags(page: Page, listed: str = "suggestions") -> list[str]:
    """Return the tags in a list of the page: the suggestions, or the chosen tags."""
    return page.locator(f"#{listed} .tag").all_inner_texts()


def suggestion(page: Page, tag: str) -> Locator:
    """Find the button that accepts a tag."""
    return page.get_by_role("button", name=re.compile(f"^Add {re.escape(tag)} "))


def answering(**answer: Any) -> Callable[[Route], None]:
    """Return a route handler that always gives the same answer."""
    return lambda route: route.fulfill(**answer)


def explanation(page: Page, tag: str) -> Locator:
    """Find the explanation of a suggestion."""
    return page.locator("#suggestions > li").filter(has=suggestion(page, tag)).locator(".why")


def asked(visit: Visit) -> int:
    """Count the requests for suggestions."""
    return sum(url.endswith("/predict") for url in visit.requests)
