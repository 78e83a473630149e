"""The directions of imports between the parts of the repository."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

OURS = {"infra_cdk", "lambda_src", "model_build", "scripts", "tests"}
ALLOWED: dict[str, set[str]] = {
    "lambda_src": {"lambda_src.metrics"},  # functions without an entry of their own
    "lambda_src/api": {
        "lambda_src.environment_settings",
        "lambda_src.metrics",
        "lambda_src.model_signature",
        "lambda_src.prometheus_names",
        "lambda_src.tagger",
    },
    "lambda_src/monitor": {
        "lambda_src.environment_settings",
        "lambda_src.metrics",
        "lambda_src.tagger",
    },
    "lambda_src/monitor/drift": {"lambda_src.tagger"},
    "lambda_src/tagger": set(),
    "model_build": {"lambda_src.monitor.drift", "lambda_src.monitor.store", "lambda_src.tagger"},
    "infra_cdk": {"lambda_src.metrics"},
    "scripts/shared": set(),
    "scripts/benchmarks": {
        "lambda_src",
        "model_build",
        "scripts.shared",
        "tests.hostile",
        "tests.support",
        "tests.system.server",
    },
    "scripts/dependencies": {"scripts.shared"},
    "scripts/emulator": {"scripts.shared"},
    "scripts/exporting": {"lambda_src.monitor", "scripts.shared"},
    "scripts/prometheus": {"infra_cdk", "lambda_src.metrics", "lambda_src.prometheus_names"},
    "scripts/releasing": {
        "infra_cdk.accounts",
        "lambda_src",
        "model_build.tracking.environment",
        "scripts.shared",
    },
    "scripts/event_store": {"lambda_src.event_archive"},
    "scripts/verifying": {"lambda_src.metrics", "scripts.shared"},
    "tests/support": {"lambda_src", "model_build.corpus", "model_build.questions"},
}
"""The modules that the files of each folder may import besides those of their own package.

Only modules of this repository count. A name includes its submodules.
"""

TAGGER_PACKAGES = {"numpy", "selectolax"}
TRAINING_PACKAGES = {"joblib", "pandas", "pickle", "scipy", "sklearn"}
"""Packages that must not be imported where a question is answered."""


def python_files(folder: str) -> Iterator[Path]:
    """The files of a folder for which `ALLOWED` has no more specific entry."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        parents = [each.as_posix() for each in path.relative_to(ROOT).parents]
        is_ours = "node_modules" not in path.parts
        if is_ours and next(each for each in parents if each in ALLOWED) == folder:
            yield path


def own_package(path: Path) -> str:
    """The package that a file belongs to, such as `scripts.releasing` or `model_build`."""
    top, *rest = path.relative_to(ROOT).parts
    return f"{top}.{rest[0]}" if top in {"lambda_src", "scripts", "tests"} else top


def imports(path: Path) -> Iterator[str]:
    """The absolute names that a file imports anywhere, including calls of `import_module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{each.name}" for each in names)
            case ast.Call(
                func=ast.Name("import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str(name)), *_],
            ):
                yield name


def is_within(name: str, modules: set[str]) -> bool:
    """Whether a name is one of the modules or inside one of them."""
    return any(name == each or name.startswith(f"{each}.") for each in modules)


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_of_our_own_modules_follow_the_allowed_directions(folder: str) -> None:
    forbidden = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(folder)
        for name in imports(path)
        if is_within(name, OURS) and not is_within(name, {own_package(path), *ALLOWED[folder]})
    ]
    assert forbidden == []


def test_the_tagger_needs_only_numpy_and_an_html_parser() -> None:
    needed = {
        name.partition(".")[0]
        for path in python_files("lambda_src/tagger")
        for name in imports(path)
    }
    assert needed - sys.stdlib_module_names - {"lambda_src"} <= TAGGER_PACKAGES


@pytest.mark.parametrize("folder", ["lambda_src/api", "lambda_src/tagger"])
def test_what_answers_questions_imports_nothing_of_training(folder: str) -> None:
    imported = {name.partition(".")[0] for path in python_files(folder) for name in imports(path)}
    assert imported.isdisjoint(TRAINING_PACKAGES)


@pytest.mark.parametrize("folder", sorted(OURS))
def test_relative_imports_stay_in_their_own_folder(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        if "node_modules" not in path.parts:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            levels = [each.level for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
            assert max(levels, default=0) <= 1, path
