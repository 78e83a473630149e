"""Parts of the web page, and fake responses of the API."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Route

from tests.system.browser import Visit


def tags(page: Page, listed: str = "suggestions") -> list[str]:
    """The tags in a list of the page: the suggested or the chosen ones."""
    return page.locator(f"#{listed} .tag").all_inner_texts()


def suggestion(page: Page, tag: str) -> Locator:
    """The button that accepts a tag."""
    return page.get_by_role("button", name=re.compile(f"^Add {re.escape(tag)} "))


def answering(**answer: Any) -> Callable[[Route], None]:
    """A request handler that always gives this response."""
    return lambda route: route.fulfill(**answer)


def explanation(page: Page, tag: str) -> Locator:
    """The explanation of a suggested tag."""
    return page.locator("#suggestions > li").filter(has=suggestion(page, tag)).locator(".why")


def asked(visit: Visit) -> int:
    """The number of requests for tags."""
    return sum(url.endswith("/predict") for url in visit.requests)
