import re

import pytest
from fastapi.testclient import TestClient

from lambda_src.api import page
from lambda_src.api.app import create_app
from lambda_src.api.schemas import QUIET_MESSAGES
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from tests.support.paths import ROOT

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
MEDIA_TYPES = {"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript"}


@pytest.fixture(scope="module")
def client(starter: TagModel) -> TestClient:
    app = create_app(starter, Settings(model="starter", service="test"))
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (CHROMIUM, "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/*, application/json;q=0.5", "text/html; charset=utf-8"),
        ("application/json;q=0.2, TEXT/HTML ; Q=0.3", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("text/html;q=nonsense, ;;,", "application/json"),
    ],
)
def test_browsers_get_the_page_and_other_clients_get_json(
    client: TestClient, accept: str, media_type: str
) -> None:
    response = client.get("/", headers={"accept": accept})
    assert response.headers["content-type"] == media_type
    assert response.headers["vary"] == "accept"
    if media_type == "application/json":
        assert response.json()["name"] == "etiquette"


@pytest.mark.parametrize(("path", "media_type"), MEDIA_TYPES.items())
def test_a_file_that_the_client_has_is_not_sent_again(
    client: TestClient, path: str, media_type: str
) -> None:
    first = client.get(path, headers={"accept": CHROMIUM})
    assert first.status_code == 200
    assert first.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["x-content-type-options"] == "nosniff"
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(path, headers={"accept": CHROMIUM, "if-none-match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    changed = client.get(path, headers={"accept": CHROMIUM, "if-none-match": '"other"'})
    assert changed.content == first.content


def test_the_policy_forbids_inline_code_and_other_hosts(client: TestClient) -> None:
    policy = client.get("/", headers={"accept": CHROMIUM}).headers["content-security-policy"]
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_the_page_has_at_most_60_kilobytes() -> None:
    assert sum(len(file.content) for file in page.FILES.values()) <= 60_000


def test_the_modules_of_the_script_are_joined_without_name_conflicts() -> None:
    script = page.FILES["page.js"].content.decode()
    lines = script.splitlines()
    assert not [line for line in lines if line.startswith(("import", "export"))]
    declared = re.findall(r"^(?:async )?(?:const|let|class|function) (\w+)", script, re.MULTILINE)
    assert len(declared) == len(set(declared)) > 50


def test_the_page_explains_every_quiet_answer_in_both_languages() -> None:
    path = ROOT / "lambda_src" / "api" / "page" / "script" / "translations.js"
    texts = dict.fromkeys(("en", "fr"), "")
    texts["en"], _, texts["fr"] = path.read_text(encoding="utf-8").partition("const fr = {")
    for language, text in texts.items():
        for reason, message in QUIET_MESSAGES.items():
            found = re.search(rf'^  {reason}: "(.+)",$', text, re.MULTILINE)
            assert found, f"Add the text of {reason} in {language} to translations.js."
            if language == "en":
                assert found[1] == message, "The page and the API say the same."


def test_every_module_of_the_script_is_joined() -> None:
    script = page.FILES["page.js"].content.decode()
    for path in (ROOT / "lambda_src" / "api" / "page" / "script").iterdir():
        first_line = path.read_text(encoding="utf-8").partition("\n")[0]
        assert first_line in script, f"Add {path.name} to _SCRIPTS in lambda_src/api/page."


def test_the_openapi_document_declares_the_page(client: TestClient) -> None:
    content = client.get("/openapi.json").json()["paths"]["/"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/html"}
