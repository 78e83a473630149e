"""The accessibility of the web page: names, contrast, focus, small screens, reduced motion."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import Visit
from tests.system.page_parts import explanation, suggestion
from tests.system.server import Server

CONTROLS_WITHOUT_NAME = """() => [
  ...document.querySelectorAll("button, input, textarea, a, ul, section, [role]")
]
  .filter(element => element.checkVisibility() && !element.closest(".why, [role=status]"))
  .filter(element => {
    const label = element.getAttribute("aria-label")
      || document.getElementById(element.getAttribute("aria-labelledby"))?.textContent
      || element.labels?.[0]?.textContent
      || (element.matches("button, a, [role=option]") && element.textContent);
    return !label?.trim();
  })
  .map(element => element.outerHTML)"""

TEXTS_WITH_LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = color => {
    const [r, g, b] = [...rgba(color)].map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (rgba(color)[3] === 255) return color;
    }
    return "white";
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const shades = [getComputedStyle(element).color, behind(element)].map(luminance);
    const ratio = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${texts.currentNode.data}`);
  }
  return faint;
}"""


def open_everything(browser: Browser, server: Server, **options: Any) -> Page:
    """Open the page with suggestions, an explanation, chosen tags, completions and thanks."""
    page = Visit(browser, locale="en-US", reduced_motion="reduce", **options).page
    page.goto(server.url)
    page.get_by_role("button", name="Try an example").click()
    page.locator(".accept").first.click()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    page.locator(".ask-why").first.click()
    page.get_by_label("Add a tag").press_sequentially("py")
    expect(page.get_by_role("option").first).to_be_visible()
    # A click outside would close the completions.
    page.locator(".ask-why").first.dispatch_event("click")
    expect(page.locator(".why").first).to_be_visible()
    return page


def test_every_control_has_a_name(browser: Browser, server: Server) -> None:
    page = open_everything(browser, server)
    assert page.evaluate(CONTROLS_WITHOUT_NAME) == []
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    assert page.get_by_role("status").count() == 2
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    for field in ("title", "body", "own"):
        described = page.locator(f"#{field}").get_attribute("aria-describedby")
        assert page.locator(f"#{described}").inner_text()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(browser: Browser, server: Server, scheme: str) -> None:
    page = open_everything(browser, server, color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(248, 246, 241)", "dark": "rgb(20, 23, 27)"}[scheme]
    assert page.evaluate(TEXTS_WITH_LOW_CONTRAST) == []
    page.get_by_label("Title").fill("")
    page.get_by_label("Details").fill("x" * 70_000)
    expect(page.locator("#state")).to_contain_text("too long")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("too long")
    assert page.evaluate(TEXTS_WITH_LOW_CONTRAST) == []
    page.context.close()


def test_the_focus_is_always_visible(browser: Browser, server: Server) -> None:
    page = open_everything(browser, server)
    page.get_by_role("heading", level=1).click()
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate("""() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          const { id, className, tagName } = document.activeElement;
          return [id || className || tagName, outlineStyle, parseFloat(outlineWidth)];
        }""")
        if name == "BODY":
            break
        assert style == "solid", name
        assert width >= 2, name
        seen.append(name)
    order = [name for name in seen if name in ("title", "body", "accept", "own", "ask")]
    assert list(dict.fromkeys(order)) == ["title", "body", "accept", "own", "ask"]
    page.context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 960])
def test_a_small_screen_needs_no_horizontal_scrolling(
    browser: Browser, server: Server, width: int
) -> None:
    page = open_everything(browser, server, viewport={"width": width, "height": 700})
    page.get_by_label("Add a tag").fill("a-tag-that-is-as-long-as-tags-can-be")
    page.get_by_role("button", name="Français").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_an_explanation_opens_on_a_touch_screen(browser: Browser, server: Server) -> None:
    small = {"width": 390, "height": 800}
    page = Visit(browser, locale="en-US", viewport=small, has_touch=True).page
    page.goto(server.url)
    page.get_by_label("Title").fill("How do I merge two dictionaries in Python?")
    button = page.get_by_role("button", name="Why python?")
    button.tap()
    expect(explanation(page, "python")).to_be_visible()
    button.tap()
    expect(explanation(page, "python")).to_be_hidden()
    suggestion(page, "python").tap()
    expect(page.get_by_role("button", name="Remove python")).to_be_visible()
    page.context.close()


def test_reduced_motion_is_respected(browser: Browser, server: Server) -> None:
    page = open_everything(browser, server)
    assert page.evaluate("document.getAnimations().length") == 0
    page.context.close()
