"""What the project depends on: every package is locked, documented and looked up."""

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.dependencies import costs
from scripts.dependencies.vulnerabilities import (
    Looked,
    locked_files,
    read_npm_audit,
    read_pip_audit,
    summary,
)
from tests.support.paths import ROOT

PROJECT = "pyproject.toml"
DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def test_the_examples_of_the_docstrings_are_true() -> None:
    assert doctest.testmod(costs).failed == 0


def test_every_purpose_has_a_locked_file() -> None:
    lock = (ROOT / "scripts" / "lock").read_text(encoding="utf-8")
    purposes = set(re.findall(r"^([a-z_]+) = \[", (ROOT / PROJECT).read_text(), re.MULTILINE))
    purposes -= {"select", "ignore", "files", "testpaths", "filterwarnings", "markers", "module"}
    purposes -= {"packages", "untyped_calls_exclude", "dependencies", "dask"}  # dask: in build
    of_folders = {path.parent.name for path in (ROOT / "lambda_src").glob("*/Dockerfile")}
    assert purposes == set(re.findall(r"^compile (\w+) ", lock, re.MULTILINE)) | of_folders


def test_every_requirements_file_is_locked_with_hashes() -> None:
    files = [path for path in ROOT.rglob("*requirements*.txt") if not ignored(path)]
    excluded = ROOT / "scripts" / "benchmarks" / "excluded_requirements.txt"
    assert set(files) - {excluded} == set(locked_files())


@pytest.mark.parametrize("path", locked_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_package_of_a_locked_file_has_one_version_and_hashes(path: Path) -> None:
    packages = re.split(r"^(?=\S)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    packages = [each for each in packages if each and not each.startswith("#")]
    assert packages
    for each in packages:
        assert re.match(r"[\w.\[\]-]+==[\w.!+]+", each), each
        assert "--hash=sha256:" in each, each


def ignored(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return bool({".venv", ".cache", "node_modules", "cdk.out"} & set(parts))


def commands() -> dict[str, str]:
    """The text of every file that may install something, with continued lines joined."""
    found = {}
    for path in [*ROOT.rglob("Dockerfile"), *(ROOT / "scripts").rglob("*")]:
        if path.is_file() and not ignored(path) and path.suffix in {"", ".py"}:
            text = path.read_text(encoding="utf-8")
            found[str(path.relative_to(ROOT))] = re.sub(r"\\\n|\n(?= {13})", " ", text)
    return found


def test_every_installation_checks_hashes() -> None:
    installs = re.compile(r"^.*(?:pip[\", ]+(?:install|sync)|npm[\", ]+(?:ci|install)).*$", re.M)
    unchecked = [
        (name, line.strip())
        for name, text in commands().items()
        for line in installs.findall(text)
        if "--require-hashes" not in line
        and "npm ci" not in line
        and not line.lstrip().startswith(("#", "echo"))
    ]
    # A person names the package that the measurement installs into a temporary folder.
    assert [name for name, _ in unchecked] == ["scripts/dependencies/costs.py"], unchecked


def direct() -> list[tuple[str, str]]:
    text = (ROOT / PROJECT).read_text(encoding="utf-8")
    extras = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    purposes = re.findall(r"^([a-z_]+) = \[", extras, re.MULTILINE)
    return [(purpose, name) for purpose in purposes for name in costs.direct_dependencies(purpose)]


@pytest.mark.parametrize(("purpose", "name"), direct())
def test_every_direct_dependency_is_documented(purpose: str, name: str) -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}` |")]
    assert rows, f"docs/dependencies.md says nothing about {name}: say what it is for"
    assert any(f"`{purpose}`" in row.split("|")[2] for row in rows), (
        f"docs/dependencies.md does not name {purpose} as a purpose of {name}"
    )


def test_the_document_names_no_package_that_was_removed() -> None:
    documented = set(re.findall(r"^\| `([\w-]+)` \|", DOCUMENT, re.MULTILINE))
    assert documented <= {name for _, name in direct()}


VULNERABLE = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {
            "name": "broken",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "aliases": []}],
        },
    ]
}


def test_a_vulnerability_is_reported_with_its_fix() -> None:
    found = read_pip_audit(json.dumps(VULNERABLE), "")
    assert found == Looked(2, ["broken 2.0: PYSEC-1, fixed in 2.1, 3.0"])
    text, code = summary({"requirements.txt": found})
    assert code == 1
    assert "scripts/lock --upgrade-package NAME" in text


@pytest.mark.parametrize(
    ("output", "error", "reason"),
    [
        # pip-audit calls this a success.
        (
            {"dependencies": [{"name": "numpy", "skip_reason": "not found on PyPI"}]},
            "No known vulnerabilities found",
            "did not answer for 1 of 1 packages, such as numpy",
        ),
        (None, "Traceback\nConnectionError: no route", "ConnectionError: no route"),
        (None, "", "pip-audit wrote no report"),
    ],
)
def test_a_database_that_does_not_answer_is_no_success(
    output: dict[str, Any] | None, error: str, reason: str
) -> None:
    found = read_pip_audit(json.dumps(output) if output else "", error)
    assert reason in found.unreachable
    text, code = summary({"requirements.txt": found})
    assert code == 2
    assert "NOT LOOKED UP" in text
    assert "could not be reached" in text


def test_a_vulnerability_counts_although_another_database_does_not_answer() -> None:
    results = {"one": read_pip_audit(json.dumps(VULNERABLE), ""), "other": read_npm_audit("", "")}
    assert summary(results)[1] == 1


def test_nothing_found_is_a_success() -> None:
    results = {"requirements.txt": Looked(2, []), "package-lock.json": Looked(1, [])}
    text, code = summary(results)
    assert code == 0
    assert "0 known vulnerabilities in 2 packages" in text


def test_npm_s_report_is_read() -> None:
    report = {
        "vulnerabilities": {"old": {"severity": "high", "range": "<2"}},
        "metadata": {"dependencies": {"total": 7}},
    }
    assert read_npm_audit(json.dumps(report), "") == Looked(7, ["old: high, affects <2"])
    refused = read_npm_audit('{"message": "405"}', "npm warn audit 405\nmore")
    assert refused.unreachable == "npm warn audit 405"
