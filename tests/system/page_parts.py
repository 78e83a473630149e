"""What a person finds on the web page, and a stand-in for the API behind it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Route

from tests.system.browser import Visit


def tags(page: Page, listed: str = "suggestions") -> list[str]:
    """The tags in a list of the page: the suggestions, or the chosen ones."""
    return page.locator(f"#{listed} .tag").all_inner_texts()


def suggestion(page: Page, tag: str) -> Locator:
    """The button that accepts a tag."""
    return page.get_by_role("button", name=re.compile(f"^Add {re.escape(tag)} "))


def answering(**answer: Any) -> Callable[[Route], None]:
    """A stand-in for the API that always answers this."""
    return lambda route: route.fulfill(**answer)


def explanation(page: Page, tag: str) -> Locator:
    """Why a tag is suggested."""
    return page.locator("#suggestions > li").filter(has=suggestion(page, tag)).locator(".why")


def asked(visit: Visit) -> int:
    """How often the API was asked for tags."""
    return sum(url.endswith("/predict") for url in visit.requests)
