"""The line about the model's health, on the page and in the Streamlit front end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from streamlit.testing.v1 import AppTest

from tests.support.paths import HEALTH_REPORT, ROOT
from tests.system.browser import Visit
from tests.system.server import Server

LINE = json.loads(HEALTH_REPORT.read_text())["health"]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Server]:
    """A server with a report of the monitor."""
    running = Server(tmp_path)
    running.health_report.write_bytes(HEALTH_REPORT.read_bytes())
    yield running
    running.stop()


def test_the_operator_sees_the_health_on_the_page(browser: Browser, watched: Server) -> None:
    visit = Visit(browser, locale="en-US")
    visit.page.goto(f"{watched.url}/?operator")
    health = visit.page.locator("#health")
    expect(health).to_have_text(f"The model's health. {LINE}")
    expect(health).to_have_attribute("data-state", "drift")
    visit.page.get_by_role("button", name="Français").click()
    expect(health).to_contain_text("État du modèle")
    visit.page.get_by_label("Titre").fill("How do I merge two dictionaries in Python?")
    expect(visit.page.locator("#suggestions .tag").first).to_have_text("python")
    assert sum(url.endswith("/model/health") for url in visit.requests) == 1
    assert visit.complaints == []
    visit.context.close()


def test_other_visitors_do_not_ask_for_it(browser: Browser, watched: Server) -> None:
    visit = Visit(browser, locale="en-US")
    visit.page.goto(watched.url)
    visit.page.get_by_label("Title").fill("How do I merge two dictionaries in Python?")
    expect(visit.page.locator("#suggestions .tag").first).to_have_text("python")
    expect(visit.page.locator("#health")).to_be_hidden()
    assert not any(url.endswith("/model/health") for url in visit.requests)
    visit.context.close()


def test_without_a_report_the_page_says_so(browser: Browser, server: Server) -> None:
    visit = Visit(browser, locale="en-US")
    visit.page.goto(f"{server.url}/?operator")
    expect(visit.page.locator("#health")).to_contain_text("is not known. There is no report")
    visit.context.close()


def test_the_operator_sees_the_health_in_streamlit(
    watched: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETIQUETTE_API_URL", watched.url)
    app = AppTest.from_file(str(ROOT / "scripts" / "streamlit_app.py"), default_timeout=30)
    assert not app.run().caption
    app.query_params["operator"] = ""
    app.run()
    assert not app.exception
    (line,) = app.caption
    assert line.value.startswith("The model's health. 26 November 2026")
    assert r"\*expected\*" in line.value


def test_without_a_report_streamlit_says_so(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETIQUETTE_API_URL", f"{server.url}/")
    app = AppTest.from_file(str(ROOT / "scripts" / "streamlit_app.py"), default_timeout=30)
    app.query_params["operator"] = ""
    app.run()
    assert not app.exception
    assert [each.value for each in app.caption] == ["The model's health is not known."]
    assert "There is no report" in app.text[0].value
