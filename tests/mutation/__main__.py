"""Run the mutations of the ranking rules; print a Markdown table of what caught each."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.mutation.mutations import MUTATIONS, Mutation
from tests.support.paths import ROOT

_COPIED: Final = ("lambda_src", "model_build", "tests", "pyproject.toml")
_FAST_TESTS: Final = (
    "tests/unit/test_golden.py",
    "tests/unit/test_analyzer.py",
    "tests/unit/test_vocabulary.py",
    "tests/unit/test_markup.py",
    "tests/unit/test_decoder.py",
)
_FAILURE: Final = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py(?:::\w+)?)(\[.*?\])?", re.M)


def main(*rules: str) -> int:
    """Give 0 if the tests catch every mutation, or those of the named rules."""
    chosen = [each for each in MUTATIONS if not rules or each.rule in rules]
    if unknown := {*rules} - {each.rule for each in chosen}:
        sys.stderr.write(f"mutation_check: no mutation has these names: {sorted(unknown)}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in _COPIED:
            _copy(ROOT / name, tree / name)
        if failed := _failed_test(tree):
            sys.stderr.write(f"mutation_check: {failed} fails without a mutation. Fix it first.\n")
            return 1
        _write("| Step | Rule | Changed in | Before | After | Caught by |")
        _write("|---|---|---|---|---|---|")
        n_survived = 0
        for mutation in chosen:
            caught_by = _caught_by(mutation, tree)
            n_survived += not caught_by
            _write(_row(mutation, caught_by))
    n_caught = len(chosen) - n_survived
    _write(f"\nThe tests caught {n_caught} of {len(chosen)} mutations.")
    return int(n_survived > 0)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copy(source, target)
    else:
        compiled = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(source, target, ignore=compiled)


def _caught_by(mutation: Mutation, tree: Path) -> str:
    file = tree / mutation.file
    original = file.read_text(encoding="utf-8")
    if original.count(mutation.before) != 1:
        raise ValueError(
            f"{mutation.before!r} must be in {mutation.file} once, but is there "
            f"{original.count(mutation.before)} times: change tests/mutation/mutations.py"
        )
    file.write_text(original.replace(mutation.before, mutation.after), encoding="utf-8")
    try:
        return _failed_test(tree)
    finally:
        file.write_text(original, encoding="utf-8")


def _failed_test(tree: Path) -> str:
    """Build the kernel of the tree and run the fast tests; name the first one that fails."""
    _run(tree, "lambda_src/tagger/kernel/build.py", check=True)
    output = _run(tree, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *_FAST_TESTS)
    if "skipped" in output.splitlines()[-1]:
        raise RuntimeError(f"a test was skipped, so that not everything was compared:\n{output}")
    if found := _FAILURE.search(output):
        return found[1].removeprefix("tests/unit/") + (found[2] or "")
    return "" if " passed" in output else output


def _run(tree: Path, *arguments: str, check: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        # Bytecode could be older than a source of the same length and second.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def _row(mutation: Mutation, caught_by: str) -> str:
    cells = (
        mutation.area,
        mutation.rule,
        f"`{Path(mutation.file).name}`",
        _code(mutation.before),
        _code(mutation.after),
        f"`{caught_by}`" if caught_by else "**nothing**",
    )
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|")
    return f"`` {text} ``" if text else "(nothing)"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
