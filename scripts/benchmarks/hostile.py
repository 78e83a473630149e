"""Hostile input in full: requests, questions, bundles, events and files, the fuzzer, slow texts.

A fault ends the run with its description. What the figures mean is in docs/reliability.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lambda_src.tagger import TagModel
from model_build.questions import Question
from scripts.benchmarks import served_models
from scripts.benchmarks.growth import LARGEST, long_question
from scripts.benchmarks.slowest_texts import search
from scripts.shared.paths import ROOT
from scripts.shared.tables import table
from tests.hostile import kernel_fuzzer
from tests.hostile.cases import FACTOR_VARIABLE, FIGURES_VARIABLE
from tests.support.paths import SAMPLES, STARTER
from tests.system.server import Server

_REQUESTS: Final = re.compile(r"(\d+) generated")
_PARTS: Final = ("requests", "cases", "fuzzer", "slowest")


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench hostile`."""
    command.add_argument(
        "--examples",
        type=int,
        default=2_200,
        metavar="N",
        help="requests of each operation that schemathesis makes up (default: %(default)s)",
    )
    command.add_argument(
        "--factor",
        type=int,
        default=20,
        metavar="N",
        help="how many times as many cases as the tests take (default: %(default)s)",
    )
    command.add_argument(
        "--seconds",
        type=int,
        default=300,
        metavar="N",
        help="how long the fuzzer runs, and the search for slow texts (default: %(default)s)",
    )
    command.add_argument(
        "--questions",
        type=Path,
        metavar="FILE",
        help="questions that ordinary text is taken from (default: the sample questions)",
    )
    command.add_argument("--seed", type=int, default=1, help="of all random choices")
    command.add_argument(
        "--only", choices=_PARTS, action="append", metavar="PART", help=", ".join(_PARTS)
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run all parts, print the table, and return the figures."""
    parts: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = dict(
        zip(_PARTS, (_requests, _cases, _fuzzer, _slowest), strict=True)
    )
    found: dict[str, Any] = {}
    rows: list[list[str]] = []
    for name in options.only or _PARTS:
        started = time.monotonic()
        figures = parts[name](options)
        seconds = time.monotonic() - started
        found |= figures | {f"{name}_seconds": seconds}
        rows += [[name, what.replace("_", " "), _shown(each)] for what, each in figures.items()]
        rows.append([name, "seconds", f"{seconds:.0f}"])
    print(table(["part", "figure", "value"], rows))
    return found


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _requests(options: argparse.Namespace) -> dict[str, Any]:
    """Send requests to a server process, with all checks of schemathesis."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            report = _checked(
                [
                    *(
                        sys.executable,
                        "-m",
                        "schemathesis.cli",
                        "run",
                        f"{server.url}/openapi.json",
                    ),
                    *("--checks", "all", "--mode", "all", "--continue-on-failure"),
                    *("--max-examples", str(options.examples), "--seed", str(options.seed)),
                ],
                folder,
            )
        finally:
            server.stop()
    [n_requests] = _REQUESTS.findall(report)
    return {"requests": int(n_requests)}


def _cases(options: argparse.Namespace) -> dict[str, Any]:
    """Run the tests of hostile input with many times their cases."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        _checked(
            [sys.executable, "-m", "pytest", "-q", "tests/hostile", "--show-capture=no"],
            ROOT,
            **{FACTOR_VARIABLE: str(options.factor), FIGURES_VARIABLE: str(figures)},
        )
        counts: dict[str, int] = json.loads(figures.read_text(encoding="utf-8"))
    return {"cases": sum(counts.values()), **{f"cases: {name}": n for name, n in counts.items()}}


def _fuzzer(options: argparse.Namespace) -> dict[str, Any]:
    """Run the kernel's fuzzer, and keep what it found in the corpus."""
    clang = kernel_fuzzer.find_clang()
    if clang is None:
        sys.exit(f"bench: {kernel_fuzzer.HOW_TO_INSTALL}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fuzzer = kernel_fuzzer.build_fuzzer(clang, folder / "program")
        inputs = folder / "inputs"
        inputs.mkdir()
        kernel_fuzzer.unpack_corpus(inputs)
        try:
            ranked = kernel_fuzzer.run_fuzzer(
                fuzzer, [inputs], seconds=options.seconds, seed=options.seed
            )
        except kernel_fuzzer.FuzzerError as error:
            sys.exit(f"bench: the fuzzer found a fault:\n{error}")
        kept = kernel_fuzzer.keep_corpus(fuzzer, inputs)
    return {"fuzzer_inputs": ranked.inputs, "fuzzer_edges": ranked.edges, "corpus": kept}


def _slowest(options: argparse.Namespace) -> dict[str, Any]:
    """Search for the slowest text of the longest allowed length."""
    if options.questions:
        questions = served_models.read(options.questions, quick=True)
    else:
        rows = map(json.loads, SAMPLES.read_text(encoding="utf-8").splitlines())
        questions = [Question.from_row(row | {"id": None}) for row in rows]
    ordinary = long_question(questions * 1_000, LARGEST)
    found = search(TagModel.load(STARTER), ordinary, options.seconds, options.seed)
    return {
        "slowest_ratio": found.ratio,
        "slowest_kind": found.candidate.describe()[:200],
        "texts_tried": found.n_tried,
    }


def _checked(command: Sequence[str], folder: str | Path, **variables: str) -> str:
    """Run a command in a folder; its output, if it fails, is the end of this program's."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} failed:\n{(done.stdout + done.stderr)[-10_000:]}")
    return done.stdout
