"""Builds and runs the fuzzer of the compiled kernel: libFuzzer, with two sanitizers of clang.

The fuzzer ranks tags with the small model of `tests.golden.synthetic`. It begins with the inputs of
`corpus.jsonl`: texts of our own writing, and what the fuzzer made of them. Each of them covers
something that no other one does.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from lambda_src.tagger import TagModel, rules
from lambda_src.tagger.analyzer import fields_of
from lambda_src.tagger.kernel import Kernel, _cased_text
from lambda_src.tagger.kernel.build import FOLDER as KERNEL_FOLDER
from lambda_src.tagger.kernel.interface import Model, header
from lambda_src.tagger.ranker import PlainRanker
from tests.golden import texts
from tests.golden.synthetic import make_bundle
from tests.support.paths import ROOT

TARGET: Final = ROOT / "tests" / "hostile" / "kernel" / "fuzz_rank.c"
CORPUS: Final = ROOT / "tests" / "hostile" / "kernel" / "corpus.jsonl"
"""A JSON string per input, with a character for each byte."""
HOW_TO_INSTALL: Final = (
    "The kernel's fuzzer needs clang with libFuzzer. Debian and Ubuntu: apt-get install clang "
    "libclang-rt-dev; macOS: brew install llvm, and put its bin folder on the PATH."
)
MAX_INPUT: Final = 4096
"""The length of the fuzzer's longest input, in bytes."""
_C_TYPES: Final = {
    **{name: f"{name}_t" for name in ("int8", "uint8", "uint16", "int32", "uint32", "int64")},
    "float32": "float",
    "float64": "double",
}
_SEPARATOR: Final = b"\xff"
_SANITIZERS: Final = "address,undefined"
_FLAGS: Final = ("-std=gnu11", "-O1", "-g", "-ffp-contract=off", "-fno-sanitize-recover=all")
_MAX_KEPT: Final = 512
"""The length of the longest input in the corpus, in bytes."""
_TIMEOUT: Final = 120
"""Seconds after which one input counts as a hang. A normal one takes less than a millisecond."""


class FuzzerError(Exception):
    """The fuzzer cannot be built, or it has found a fault; the message says which."""


class Fuzzed(NamedTuple):
    """What a run of the fuzzer did."""

    inputs: int
    """How many inputs were ranked."""
    edges: int
    """How many edges between blocks of the program they covered."""
    n_corpus: int
    """How many inputs the fuzzer holds because each covers something of its own."""


def find_clang() -> str | None:
    """Return the path of a clang with libFuzzer; None if there is none."""
    clang = shutil.which("clang")
    if clang is None:
        return None
    asked = [clang, "-fsanitize=fuzzer", "-x", "c", "-", "-o", os.devnull]
    source = "int LLVMFuzzerTestOneInput(const char *d, long n) { (void)d, (void)n; return 0; }"
    done = subprocess.run(asked, input=source, text=True, capture_output=True, check=False)
    return clang if done.returncode == 0 else None


def build_fuzzer(clang: str, folder: Path, source: Path = KERNEL_FOLDER) -> Path:
    """Compile the fuzzer of the kernel.c in `source` into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = small_kernel()
    (folder / "rules.h").write_text(header(), encoding="ascii")
    (folder / "model.h").write_text(_model_header(kernel), encoding="ascii")
    (folder / "dictionary").write_text("\n".join(_dictionary(kernel)) + "\n", encoding="ascii")
    fuzzer = folder / "fuzz_rank"
    _compile(
        [clang, *_FLAGS, f"-fsanitize=fuzzer,{_SANITIZERS}"],
        [f"-I{folder}", f"-I{source}", "-o", str(fuzzer), str(TARGET), "-lm"],
    )
    return fuzzer


def build_sanitized_library(clang: str, folder: Path) -> tuple[Path, Path]:
    """Compile the kernel with the sanitizers, for Python.

    Returns
    -------
    library, runtime : Path
        The kernel, and the sanitizer's library that must be preloaded (``LD_PRELOAD``).
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.h").write_text(header(), encoding="ascii")
    library = folder / "sanitized_kernel.so"
    _compile(
        [clang, *_FLAGS, f"-fsanitize={_SANITIZERS}", "-shared-libasan", "-shared", "-fPIC"],
        [f"-I{folder}", "-o", str(library), str(KERNEL_FOLDER / "kernel.c"), "-lm"],
    )
    asked = [clang, f"-print-file-name=libclang_rt.asan-{os.uname().machine}.so"]
    return library, Path(subprocess.check_output(asked, text=True).strip())


def run_fuzzer(
    fuzzer: Path, corpora: Iterable[Path], *, seconds: int | None = None, seed: int = 1
) -> Fuzzed:
    """Run the fuzzer.

    Parameters
    ----------
    fuzzer : Path
    corpora : iterable of Path
        Folders of inputs. New inputs that cover more are written into the first.
    seconds : int, optional
        How long to look for new inputs. Without it, the inputs of the folders are ranked once.
    seed : int
        Of the changes that the fuzzer makes.

    Raises
    ------
    FuzzerError
        An input made the kernel fail. The message has the sanitizer's report, and says in which
        file the input is.
    """
    limit = ["-runs=0"] if seconds is None else [f"-max_total_time={seconds}"]
    options = [f"-max_len={MAX_INPUT}", f"-timeout={_TIMEOUT}", f"-seed={seed}"]
    options += [f"-dict={fuzzer.parent / 'dictionary'}", f"-artifact_prefix={fuzzer.parent}/"]
    command = [str(fuzzer), *limit, *options, "-print_final_stats=1", *map(str, corpora)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise FuzzerError(f"{' '.join(command)}\n{done.stderr[-8000:]}")
    return _figures(done.stderr)


def _figures(report: str) -> Fuzzed:
    last = re.findall(r"cov: (\d+) .*? corp: (\d+)", report)[-1]
    [inputs] = re.findall(r"stat::number_of_executed_units: *(\d+)", report)
    return Fuzzed(int(inputs), *map(int, last))


def unpack_corpus(folder: Path) -> int:
    """Write the inputs of the corpus as files, and those of the golden files; return how many."""
    kernel = small_kernel()
    inputs = [json.loads(line).encode("latin-1") for line in CORPUS.read_text().splitlines()]
    golden = (*texts.ANALYZER.values(), *texts.RANKING.values())
    inputs += [_as_input(kernel, each.title, each.body) for each in golden]
    for number, each in enumerate(inputs):
        (folder / f"kept-{number:04}").write_bytes(each)
    return len(inputs)


def keep_corpus(fuzzer: Path, found: Path) -> int:
    """Write the smallest set of inputs that covers what a folder covers into the corpus.

    Returns
    -------
    int
        How many there are.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(fuzzer), "-merge=1", f"-max_len={_MAX_KEPT}", folder, str(found)]
        subprocess.run(command, check=True, capture_output=True)
        inputs = sorted(path.read_bytes() for path in Path(folder).iterdir())
    lines = "".join(f"{json.dumps(each.decode('latin-1'))}\n" for each in inputs)
    CORPUS.write_text(lines, encoding="ascii")
    return len(inputs)


def small_kernel() -> Kernel:
    """Return the kernel with the small model of the golden files, whose tags are in `NAMES`."""
    known = ["for", "loop", "don't", "a", "naïve", "~ui", "~view", *rules.SIGNAL_NAMES]
    bundle = make_bundle(known, ["for loop"])
    vocabulary = TagModel(bundle, ranker="plain").vocabulary
    return Kernel(bundle, vocabulary, PlainRanker(bundle, vocabulary))


def _as_input(kernel: Kernel, title: str, body: str) -> bytes:
    """Write a question as an input of the fuzzer."""
    question = fields_of(title, body)
    texts = [kernel._ascii_text(field) for field in question[:3]]
    signals = question.code[: rules.MAX_SIGNAL_CHARACTERS].encode("ascii", "replace")
    return _SEPARATOR.join([*texts, signals, _cased_text(question.cased_title)])


def _model_header(kernel: Kernel) -> str:
    """Write the kernel's model as C: its arrays, and the structure with their addresses."""
    lines = [f"enum {{ N_TERMS = {len(kernel._arrays['term_weights'])} }};"]
    values = {name: getattr(kernel._model, name) for name, *_ in Model._fields_}
    for name, array in kernel._arrays.items():
        # The fuzzer's program fills this table itself.
        numbers = np.zeros_like(array) if name == "word_slots" else array
        listed = ", ".join(map(repr, numbers.ravel().tolist()))
        lines.append(f"static {_C_TYPES[array.dtype.name]} {name}_array[] = {{{listed}}};")
        values[name] = f"{name}_array"
    fields = ", ".join(f".{name} = {value}" for name, value in values.items())
    return "\n".join([*lines, f"static model fuzzed_model = {{{fields}}};"]) + "\n"


def _dictionary(kernel: Kernel) -> Iterator[str]:
    words = bytes(kernel._arrays["words"]).split(b"\n")
    for each in (*words, *(signal.encode() for signal in rules.CODE_SIGNALS), b"W12", b"P3"):
        yield '"' + "".join(f"\\x{byte:02x}" for byte in each) + '"'


def _compile(compiler: list[str], arguments: list[str]) -> None:
    done = subprocess.run([*compiler, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FuzzerError(f"{compiler[0]} cannot compile the fuzzer:\n{done.stderr}")
