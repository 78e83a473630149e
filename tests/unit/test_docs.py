"""The Markdown pages: links lead somewhere, names exist, and lists are complete."""

import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_src.api.schemas import PredictRequest, PredictResponse
from lambda_src.api.settings import Settings
from tests.support.paths import ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/**/*.md"),
    ]
)
PAGES_OF_TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""The changelog also names files that were renamed or deleted since."""
MAX_README_WORDS = 900

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"`[^`\n]+`")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_PATH = re.compile(
    r"(?<![\w./-])"
    r"(?:(?:lambda_src|infra_cdk|model_build|scripts|tests|docs|\.github|\.ci)/[\w./-]*\w"
    r"|(?:README|CONTRIBUTING|CHANGELOG)\.md|pyproject\.toml|requirements\.txt|cdk\.json|compose\.yaml)"
)
_PLACEHOLDER = re.compile(r"\bNAME\b|NAME_|NNNN")
_MODULE = re.compile(r"-m ((?:lambda_src|infra_cdk|model_build|scripts|tests)(?:\.\w+)*)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> Iterator[str]:
    """The targets of the page's relative links."""
    prose = _CODE_SPAN.sub("", _FENCE.sub("", text_of(page)))
    for target in _LINK.findall(prose):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the page's headings."""
    counts: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text_of(page))):
        visible = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", visible.lower()).replace(" ", "-")
        found.add(f"{slug}-{counts[slug]}" if counts[slug] else slug)
        counts[slug] += 1
    return found


def section(page: str, heading: str) -> str:
    """The text of a page's section, up to the next heading of any level."""
    _, found, after = text_of(ROOT / page).partition(f"# {heading}\n")
    assert found, f"{page} has no section {heading!r}"
    return re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    dead = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            dead.append(f"{target}: there is no such file")
        elif anchor and anchor not in anchors(file):
            dead.append(f"{target}: the page has no such heading")
    assert dead == []


@pytest.mark.parametrize("page", PAGES_OF_TODAY, ids=name_of)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = {path for path in _PATH.findall(text_of(page)) if not _PLACEHOLDER.search(path)}
    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert missing == []


@pytest.mark.parametrize("page", PAGES_OF_TODAY, ids=name_of)
def test_modules_that_a_page_runs_exist(page: Path) -> None:
    missing = {
        module
        for module in _MODULE.findall(text_of(page))
        if importlib.util.find_spec(module) is None
    }
    assert missing == set()


def test_the_checks_above_find_links_paths_and_modules() -> None:
    contributing = ROOT / "CONTRIBUTING.md"
    assert "docs/architecture.md" in set(links(contributing))
    assert "lambda_src/metrics.py" in _PATH.findall(text_of(contributing))
    assert "model_build" in _MODULE.findall(text_of(ROOT / "README.md"))
    assert "map-of-the-house" in anchors(contributing)


def test_the_readme_is_short() -> None:
    words = len(text_of(ROOT / "README.md").split())
    assert words < MAX_README_WORDS, "move details to a page of docs/ and link it"


def test_the_readme_leads_to_every_page() -> None:
    linked = {target.partition("#")[0] for target in links(ROOT / "README.md")}
    pages = {name_of(page) for page in PAGES if page.parent != ROOT / "docs" / "decisions"}
    assert pages - linked == {"README.md"}


def test_the_list_of_decisions_is_complete() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {page.name for page in folder.glob("[0-9]*.md")}
    assert set(links(folder / "README.md")) == pages
    numbers = Counter(page[:4] for page in pages)
    assert max(numbers.values()) == 1, "two decisions have the same number"


def test_the_reference_names_every_environment_variable() -> None:
    table = section("docs/reference.md", "Environment variables")
    missing = [name for name in Settings.model_fields if f"`ETIQUETTE_{name.upper()}`" not in table]
    assert missing == []


def test_the_reference_names_every_field_of_a_question_and_its_answer() -> None:
    table = section("docs/reference.md", "A question")
    fields = [*PredictRequest.model_fields, *PredictResponse.model_fields]
    assert [name for name in fields if f"`{name}`" not in table] == []


def test_the_page_on_training_names_every_kind_of_corpus_file() -> None:
    readers = importlib.import_module("model_build.corpus.reading").READERS
    text = section("docs/train.md", "The corpus")
    assert [ending for ending in readers if f"`{ending}`" not in text] == []
