"""The compiled kernel under the address and undefined-behaviour sanitizers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_src.tagger.kernel.build import FOLDER as KERNEL_FOLDER
from tests.hostile.cases import CASES
from tests.hostile.kernel_fuzzer import (
    HOW_TO_INSTALL,
    FuzzerError,
    build_fuzzer,
    build_sanitized_library,
    find_clang,
    run_fuzzer,
    unpack_corpus,
)
from tests.support.paths import ROOT

SECONDS = 10


@pytest.fixture(scope="module")
def clang() -> str:
    found = find_clang()
    if found is None:
        pytest.skip(HOW_TO_INSTALL)
    return found


@pytest.fixture(scope="module")
def fuzzer(clang: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fuzzer(clang, tmp_path_factory.mktemp("fuzzer"))


def test_the_inputs_that_were_kept_and_new_ones_are_ranked(fuzzer: Path, tmp_path: Path) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.mkdir()
    new.mkdir()
    n_kept = unpack_corpus(kept)
    ranked = run_fuzzer(fuzzer, [new, kept], seconds=SECONDS)
    assert ranked.inputs > n_kept > 100


def test_a_read_one_byte_too_far_is_found(clang: str, tmp_path: Path) -> None:
    check = "end == length || !(is(chunk[end]"
    kernel = (KERNEL_FOLDER / "kernel.c").read_text(encoding="utf-8")
    assert check in kernel
    (tmp_path / "kernel.c").write_text(kernel.replace(check, "!(is(chunk[end]"), encoding="utf-8")
    fuzzer = build_fuzzer(clang, tmp_path / "program", tmp_path)
    kept = tmp_path / "kept"
    kept.mkdir()
    unpack_corpus(kept)
    with pytest.raises(FuzzerError, match="heap-buffer-overflow"):
        run_fuzzer(fuzzer, [kept])


def test_python_hands_over_nothing_that_makes_the_kernel_leave_its_memory(
    clang: str, tmp_path: Path
) -> None:
    library, runtime = build_sanitized_library(clang, tmp_path)
    environment = os.environ | {
        "LD_PRELOAD": str(runtime),
        # Python itself never frees some memory. With malloc, each object has bounds of its own.
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.sanitized", str(library)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    CASES.update(json.loads(done.stdout))
