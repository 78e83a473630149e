"""How the kernel is compiled, kept and loaded, or not."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lambda_src.tagger import KernelError, TagModel, kernel, read_bundle, rules
from lambda_src.tagger.kernel import build as builder
from lambda_src.tagger.kernel.build import TARGETS, Machine, library_path, this_machine
from lambda_src.tagger.ranker import PlainRanker
from tests.support.paths import ROOT, STARTER

HAS_ZIG = find_spec("ziglang") is not None
needs_zig = pytest.mark.skipif(not HAS_ZIG, reason="Zig is missing: run scripts/setup all")
needs_compiler = pytest.mark.skipif(
    not HAS_ZIG and not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="there is no C compiler: install gcc, or run scripts/setup all",
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


def test_another_rule_is_another_kernel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = library_path(this_machine())
    monkeypatch.setattr(rules, "MAX_WORD_LENGTH", rules.MAX_WORD_LENGTH + 1)
    assert library_path(this_machine()) != before


def test_it_runs_alone_with_only_the_standard_library(tmp_path: Path) -> None:
    """As in an image's build stage."""
    kernel_folder = tmp_path / "tagger" / "kernel"
    kernel_folder.mkdir(parents=True)
    shutil.copy(builder.FOLDER.parent / "rules.py", kernel_folder.parent)
    for name in ("build.py", "interface.py", "kernel.c"):
        shutil.copy(builder.FOLDER / name, kernel_folder)
    done = subprocess.run(
        [sys.executable, "-I", "-S", kernel_folder / "build.py"],
        cwd=tmp_path,
        env={**os.environ, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("kernel: No C compiler was found. Install one")


@needs_zig
@needs_compiler
def test_the_compiler_of_the_system_comes_before_zig() -> None:
    *system, zig = builder.compilers_for(this_machine())
    assert zig.name == "Zig"
    assert all(Path(each.name).name in ("cc", "gcc", "clang") for each in system)
    assert [each.name for each in builder.compilers_for(this_machine(), only_zig=True)] == ["Zig"]


@needs_zig
def test_zig_compiles_where_the_system_has_no_compiler_or_one_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builder, "_SYSTEM_COMPILERS", ("false",))
    assert builder.main() == 0
    assert "kernel: compiled with Zig for" in capsys.readouterr().err
    assert load_now() is not None


@needs_zig
@pytest.mark.cross_build
@pytest.mark.parametrize("machine", TARGETS)
def test_it_compiles_for_each_machine_that_it_names(folder: Path, machine: Machine) -> None:
    builder.build(machine, builder.compilers_for(machine, only_zig=True))
    beginning = library_path(machine).read_bytes()[:4]
    assert beginning == (b"\x7fELF" if machine[0] == "Linux" else b"\xcf\xfa\xed\xfe")
    assert len(list(folder.iterdir())) == 2


@needs_zig
@pytest.mark.cross_build
def test_image_builders_name_machines_in_their_own_way(folder: Path) -> None:
    assert builder.main("arm64") == 0
    assert library_path(("Linux", "aarch64")).exists()


@needs_compiler
def test_one_that_cannot_be_loaded_is_named_and_built_again(folder: Path) -> None:
    broken = library_path(this_machine())
    broken.write_bytes(b"no library")
    with pytest.raises(KernelError, match=rf"Run 'scripts/setup kernel', or delete {broken}"):
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
    assert f"delete {broken}" in line


@needs_compiler
def test_a_source_with_a_mistake_is_shown_and_nothing_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "kernel.c").open("a") as source:
        source.write("int mistaken(void) { return nothing; }\n")
    assert builder.main() == 1
    shown = capsys.readouterr().err
    assert "cannot compile kernel.c" in shown
    assert "'nothing'" in shown
    assert [each.name for each in folder.iterdir()] == ["kernel.c"]


def test_without_a_compiler_it_says_what_to_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builder, "find_spec", lambda _: None)
    monkeypatch.setattr(builder, "_SYSTEM_COMPILERS", ())
    assert builder.main() == 1
    assert "run 'scripts/setup kernel'" in capsys.readouterr().err
    assert [each.name for each in folder.iterdir()] == ["kernel.c"]


def test_machines_that_it_does_not_know_go_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builder, "this_machine", lambda: ("Plan9", "mips"))
    assert builder.main() == 1
    assert (
        f"No kernel target for Plan9 mips; see TARGETS in {builder.__file__}."
        in capsys.readouterr().err
    )


def test_where_none_was_built_the_definition_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "load_library", load_now)
    bundle = read_bundle(STARTER)
    assert not list(folder.glob("*.so"))
    model = TagModel(bundle, ranker="auto")
    assert isinstance(model._ranker, PlainRanker)
    assert model.suggest("How do I merge two dictionaries in Python?").suggestions
    with pytest.raises(KernelError, match=r"not compiled\. Run 'scripts/setup kernel'"):
        TagModel(bundle, ranker="kernel")


def test_the_environment_chooses_the_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = read_bundle(STARTER)
    monkeypatch.setenv("ETIQUETTE_RANKER", "plain")
    assert isinstance(TagModel(bundle)._ranker, PlainRanker)
    monkeypatch.setenv("ETIQUETTE_RANKER", "fast")
    with pytest.raises(ValueError, match="ETIQUETTE_RANKER is 'fast', but it must be 'auto', 'pl"):
        TagModel(bundle)
    assert isinstance(TagModel(bundle, ranker="plain")._ranker, PlainRanker)
