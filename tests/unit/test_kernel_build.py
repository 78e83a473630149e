"""How the kernel is compiled, kept and loaded, or not."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lambda_src.tagger import KernelError, TagModel, kernel
from lambda_src.tagger.kernel import build as builder
from lambda_src.tagger.kernel.build import TARGETS, Machine, library_path, this_machine
from lambda_src.tagger.ranker import PlainRanker
from tests.support.paths import ROOT, STARTER

needs_compiler = pytest.mark.skipif(
    find_spec("ziglang") is None, reason="the compiler is missing: run scripts/setup all"
)
load_now = kernel.load_library.__wrapped__


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with the source, and nothing compiled yet."""
    shutil.copy(builder.FOLDER / "kernel.c", tmp_path)
    monkeypatch.setattr(builder, "FOLDER", tmp_path)
    return tmp_path


@needs_compiler
def test_it_is_compiled_once_and_again_when_its_source_changes(folder: Path) -> None:
    assert load_now() is None
    assert builder.main() == 0
    assert load_now() is not None
    first = library_path(this_machine())
    made = first.stat().st_mtime_ns
    assert builder.main() == 0
    assert first.stat().st_mtime_ns == made
    with (folder / "kernel.c").open("a") as source:
        source.write("/* changed */\n")
    assert load_now() is None
    of_another_machine = folder / "kernel-0123456789ab-Linux-riscv64.so"
    of_another_machine.touch()
    assert builder.main() == 0
    kept = {"kernel.c", of_another_machine.name, library_path(this_machine()).name}
    assert {each.name for each in folder.iterdir()} == kept
    assert first.name not in kept


@pytest.mark.cross_build
@pytest.mark.parametrize("machine", TARGETS)
def test_it_compiles_for_each_machine_that_it_names(folder: Path, machine: Machine) -> None:
    builder.build(machine)
    beginning = library_path(machine).read_bytes()[:4]
    assert beginning == (b"\x7fELF" if machine[0] == "Linux" else b"\xcf\xfa\xed\xfe")
    assert len(list(folder.iterdir())) == 2


@pytest.mark.cross_build
def test_image_builders_name_machines_in_their_own_way(folder: Path) -> None:
    assert builder.main("arm64") == 0
    assert library_path(("Linux", "aarch64")).exists()


@needs_compiler
def test_one_that_cannot_be_loaded_is_named_with_its_mend_and_built_again(folder: Path) -> None:
    broken = library_path(this_machine())
    broken.write_bytes(b"no library")
    with pytest.raises(KernelError, match=rf"Delete {broken} .*scripts/setup kernel"):
        load_now()
    assert builder.main() == 0
    assert load_now() is not None


def test_the_service_does_not_start_with_one_that_cannot_be_loaded(tmp_path: Path) -> None:
    compiled = shutil.ignore_patterns("__pycache__", "*.so")
    shutil.copytree(ROOT / "lambda_src", tmp_path / "lambda_src", ignore=compiled)
    broken = tmp_path / library_path(this_machine()).relative_to(ROOT)
    broken.write_bytes(b"no library")
    done = subprocess.run(
        [sys.executable, "-c", "import lambda_src.api.handler"],
        cwd=tmp_path,
        env={**os.environ, "ETIQUETTE_MODEL": str(STARTER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("etiquette cannot start: ")
    assert f"Delete {broken}" in line


@needs_compiler
def test_a_source_with_a_mistake_is_shown_and_nothing_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "kernel.c").open("a") as source:
        source.write("int mistaken(void) { return nothing; }\n")
    assert builder.main() == 1
    assert "use of undeclared identifier 'nothing'" in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == ["kernel.c"]


def test_without_a_compiler_it_says_what_to_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builder, "find_spec", lambda _: None)
    assert builder.main() == 1
    assert "run 'scripts/setup kernel'" in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == ["kernel.c"]


def test_machines_that_it_does_not_know_go_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builder, "this_machine", lambda: ("Plan9", "mips"))
    assert builder.main() == 1
    assert "no kernel is built for this machine" in capsys.readouterr().err


def test_where_none_was_built_the_definition_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "load_library", load_now)
    model = TagModel.load(STARTER)
    assert not list(folder.glob("*.so"))
    assert isinstance(model._ranker, PlainRanker)
    assert model.suggest("How do I merge two dictionaries in Python?").suggestions
