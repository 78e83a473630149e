"""What scripts/setup installs, with a fake environment that records the installations."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

ZIG = "lambda_src/tagger/kernel/requirements.txt"
UNIT = "tests/requirements-unit.txt"
ALL = "requirements.txt"
COMMANDS = ("bash", "cat", "cksum", "dirname")
RECORDER = '#!/bin/sh\necho "$0 $*" >> log\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose Python and uv only write their arguments to the file `log`."""
    copied = ["scripts/setup", "scripts/requirements-uv.txt", ZIG, UNIT, ALL]
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for command in COMMANDS:
        (tmp_path / "bin" / command).symlink_to(shutil.which(command) or command)
    executables = tmp_path / ".venv" / "bin"
    executables.mkdir(parents=True)
    for name in ("python", "uv"):
        (executables / name).write_text(RECORDER)
        (executables / name).chmod(0o755)
    return tmp_path


def setup(checkout: Path, purpose: str, *, compiler: str | None = None) -> list[str]:
    """Run scripts/setup; return the installed requirements files and `kernel` if it is built."""
    if compiler:
        (checkout / "bin" / compiler).symlink_to("/bin/true")
    log = checkout / "log"
    log.write_text("")
    subprocess.run(
        [checkout / "scripts" / "setup", purpose],
        env={"PATH": str(checkout / "bin")},
        check=True,
        capture_output=True,
    )
    steps = []
    for line in log.read_text().splitlines():
        program, *arguments = line.split()
        if program.endswith("uv"):
            steps.append(arguments[arguments.index("-r") + 1])
        elif arguments[0].endswith("build.py"):
            steps.append("kernel")
    return steps


@pytest.mark.parametrize("compiler", ["cc", "gcc", "clang"])
def test_the_kernel_needs_no_zig_if_there_is_a_compiler(checkout: Path, compiler: str) -> None:
    assert setup(checkout, "kernel", compiler=compiler) == ["kernel"]


def test_the_kernel_needs_zig_if_there_is_no_compiler(checkout: Path) -> None:
    assert setup(checkout, "kernel") == [ZIG, "kernel"]
    assert setup(checkout, "kernel") == ["kernel"], "it is installed only once"


@pytest.mark.parametrize(("purpose", "requirements"), [("unit", UNIT), ("all", ALL)])
def test_tests_get_their_packages_and_the_kernel(
    checkout: Path, purpose: str, requirements: str
) -> None:
    assert setup(checkout, purpose, compiler="cc") == [requirements, "kernel"]
    assert setup(checkout, purpose) == ["kernel"], "they are installed only once"


def test_all_includes_the_packages_of_unit_but_not_zig(checkout: Path) -> None:
    setup(checkout, "all", compiler="cc")
    assert setup(checkout, "unit") == ["kernel"]
    assert setup(checkout, "zig") == [ZIG]


@pytest.mark.parametrize("arguments", [[], ["everything"], ["all", "unit"]])
def test_a_wrong_purpose_shows_the_usage(checkout: Path, arguments: list[str]) -> None:
    refused = subprocess.run(
        [checkout / "scripts" / "setup", *arguments],
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: scripts/setup serve|build|")


@pytest.mark.parametrize(
    "package", ["aws-cdk-lib", "ministack", "playwright", "streamlit", "ziglang"]
)
def test_unit_tests_do_not_install_what_only_other_tests_need(package: str) -> None:
    assert f"\n{package}==" not in (ROOT / UNIT).read_text(encoding="utf-8")


def test_locked_requirements_name_no_registry() -> None:
    for path in ROOT.glob("**/requirements*.txt"):
        if not {".venv", ".cache", "node_modules"} & set(path.parts):
            lines = path.read_text(encoding="utf-8").splitlines()
            assert not [line for line in lines if line.startswith("-") or "://" in line], path
