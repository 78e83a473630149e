"""The Streamlit front end with a real server, in Streamlit's test runner and in a browser."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from tests.support.paths import ROOT
from tests.system.browser import Visit, chromium
from tests.system.server import Server, free_port

APP = ROOT / "scripts" / "streamlit_app.py"
QUESTION = "How do I merge two dictionaries in Python?"


@pytest.fixture
def app(server: Server, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("ETIQUETTE_API_URL", f"{server.url}/")
    monkeypatch.delenv("ETIQUETTE_API_TOKEN", raising=False)
    return AppTest.from_file(str(APP), default_timeout=30).run()


def ask(app: AppTest, title: str = "", body: str = "") -> AppTest:
    app.text_input[0].input(title)
    app.text_area[0].input(body)
    app.button[0].click().run()
    assert not app.exception
    return app


def chips(app: AppTest) -> str:
    return " ".join(each.value for each in app.markdown if "-badge[" in each.value)


def test_a_question_gets_its_tags_with_confidences(app: AppTest, server: Server) -> None:
    assert chips(app) == ""
    start = server.logged()
    shown = chips(ask(app, QUESTION, "One has defaults, `d.update(e)` changes it."))
    assert re.search(r"\[python \d\d%\]", shown)
    assert "dictionary " in shown
    assert [*app.warning, *app.error, *app.info] == []
    # The person pressed the button, so this is no draft.
    assert [each.get("event_type") for each in server.lines(start)] == [None, "prediction"]


def test_a_tag_is_not_interpreted_as_markdown(app: AppTest) -> None:
    assert r"c\# " in chips(ask(app, "C# LINQ query over a List<string> in Visual Studio"))


@pytest.mark.parametrize("blank", ["", " \n "])
def test_two_empty_fields_cause_a_warning(app: AppTest, blank: str) -> None:
    ask(app, blank, blank)
    assert "Write a question first" in app.warning[0].value
    assert chips(app) == ""


@pytest.mark.parametrize(
    ("title", "body", "empty"), [(QUESTION, "", "body"), ("", QUESTION, "title")]
)
def test_one_empty_field_causes_a_warning_and_is_answered(
    app: AppTest, title: str, body: str, empty: str
) -> None:
    ask(app, title, body)
    assert f"The {empty} is empty" in app.warning[0].value
    assert "python" in chips(app)


def test_a_question_without_known_words_is_explained(app: AppTest) -> None:
    ask(app, "qwrtzp xkcdvv", "qwrtzp")
    assert "knows too few" in app.info[0].value
    assert not app.error


def test_an_error_of_the_api_is_shown_with_its_detail(app: AppTest) -> None:
    ask(app, "python", "x" * 70_000)
    assert "413" in app.error[0].value
    assert "65536" in app.text[0].value


def test_an_api_that_does_not_answer(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("ETIQUETTE_API_URL", url)
    ask(app, QUESTION, QUESTION)
    assert "does not answer" in app.error[0].value
    assert url in app.text[0].value
    assert app.text_input[0].value == QUESTION


def test_an_address_with_another_scheme(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETIQUETTE_API_URL", "file:///etc/passwd")
    ask(app, QUESTION, QUESTION)
    assert "not an http or https address" in app.error[0].value


class FakeApi(BaseHTTPRequestHandler):
    """An API without suggestions, with an authorizer that answers as API Gateway does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        is_allowed = self.headers["authorization"] == "Bearer s3same"
        answer = {"suggestions": [], "quiet_reason": "not_sure"}
        self.send_response(200 if is_allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(answer if is_allowed else {"message": "Unauthorized"}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def guarded() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), FakeApi) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_bearer_token_is_sent_and_an_answer_without_tags_is_explained(
    app: AppTest, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETIQUETTE_API_URL", guarded)
    ask(app, QUESTION, QUESTION)
    assert "ETIQUETTE_API_TOKEN" in app.error[0].value
    assert app.text[0].value == "Unauthorized"
    monkeypatch.setenv("ETIQUETTE_API_TOKEN", "s3same")
    ask(app, QUESTION, QUESTION)
    assert "not sure enough" in app.info[0].value
    assert not app.error


@pytest.fixture
def launched(server: Server, tmp_path: Path) -> Iterator[str]:
    """Start the app as a process, as scripts/streamlit does."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless", "true"),
        *("--server.address", "127.0.0.1", "--server.port", str(port)),
        *("--browser.gatherUsageStats", "false"),
    ]
    environment = os.environ | {"ETIQUETTE_API_URL": server.url}
    with (tmp_path / "streamlit.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        assert process.poll() is None, (tmp_path / "streamlit.log").read_text()
        try:
            httpx2.get(f"{url}/_stcore/health")
            break
        except httpx2.TransportError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(10)


def test_it_works_in_a_browser(launched: str) -> None:
    with chromium() as browser:
        visit = Visit(browser)
        page = visit.page
        page.set_default_timeout(30_000)
        page.goto(launched)
        page.get_by_label("Title").fill(QUESTION)
        page.get_by_label("Body").fill("<img src=x onerror=alert(1)> `d.update(e)`")
        page.get_by_role("button", name="Suggest tags").click()
        expect(page.get_by_text(re.compile(r"^python \d\d%$"))).to_be_visible(timeout=30_000)
        expect(page.get_by_text(re.compile(r"^dictionary \d\d%$"))).to_be_visible()
        assert visit.hosts() == {urlsplit(launched).netloc}
        visit.context.close()
