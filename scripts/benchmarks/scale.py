"""Time and memory of trainings of several sizes, how they grow, and what scoring takes.

Each size has a random sample of the questions and their most common tags. A whole training runs in
a process of its own. Beside it, some regressions are fitted here, to tell the search for similar
questions, which grows with questions and tags, from the fits, which grow with the uses of the tags.
"""

import argparse
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import scipy.sparse as sp

from model_build.corpus import CorpusError, Rejects, read_corpus, write_questions
from model_build.features import FeatureOptions, fit_tfidf, tokens_of
from model_build.questions import Question
from model_build.scoring import score
from model_build.tag_regressions import TagRegressions
from model_build.training import TrainingOptions, choose_tags
from model_build.truth import Truth
from scripts.benchmarks.cold_starts import FULL_CORE_MB
from scripts.benchmarks.command_cost import cpu_seconds, run_measured
from scripts.benchmarks.costs import PRICES
from scripts.benchmarks.paths import CACHE
from scripts.shared.tables import table

SIZES: Final = "5000:125,10000:250,20000:500"
"""Questions and tags: each size has twice as many of both as the one before."""
_TIMED_TAGS: Final = 48
"""So many regressions are fitted here."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench scale`."""
    command.add_argument("--questions", nargs="+", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--sizes",
        type=_sizes,
        default=SIZES,
        metavar="QUESTIONS:TAGS,...",
        help="the sizes, smallest first (default: %(default)s)",
    )
    command.add_argument("--seed", type=int, default=0, help="seed of the samples (default: 0)")


def _sizes(text: str) -> list[tuple[int, int]]:
    try:
        pairs = [tuple(map(int, size.split(":"))) for size in text.split(",")]
        return [(questions, tags) for questions, tags in pairs]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of sizes such as {SIZES}"
        ) from None


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every size, print the tables, and return the figures."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with Rejects(CACHE / "scale.rejects.jsonl") as rejects:
        questions = read_corpus(options.questions, rejects)
    largest = max(n_questions for n_questions, _ in options.sizes)
    if largest > len(questions):
        raise CorpusError(
            f"There are {len(questions)} questions, but the largest size has {largest}. "
            "Name more files, or other sizes with --sizes."
        )
    sizes = [
        measure(questions, n_questions, n_tags, options.seed)
        for n_questions, n_tags in options.sizes
    ]
    print(sizes_table(sizes))
    return {"sizes": sizes}


def measure(
    questions: Sequence[Question], n_questions: int, n_tags: int, seed: int
) -> dict[str, float]:
    """Train on so many questions and tags, and score the same questions."""
    many = random.Random(seed).sample(list(questions), n_questions)  # noqa: S311 (no secret)
    uses = Counter(tag for question in many for tag in question.tags).most_common(n_tags)
    min_tag_count = uses[-1][1]
    print(f"{n_questions} questions, tags with {min_tag_count} uses", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        path, model = Path(folder) / "questions.parquet", Path(folder) / "model.safetensors"
        write_questions(many, path)
        command = [sys.executable, "-m", "model_build", "train", "--questions", str(path)]
        command += ["--out", str(model), "--min-tag-count", str(min_tag_count), "--jobs", "1"]
        before = cpu_seconds()
        cost = run_measured(command)
        cpu = cpu_seconds() - before
        scored = score(model, [path], Path(folder) / "scored", jobs=1)
        model_mb = model.stat().st_size / 1e6
    return {
        "questions": n_questions,
        "tags": len(choose_tags(many, min_tag_count)),
        "cpu_seconds": cpu,
        "seconds": cost.seconds,
        "peak_memory_mb": cost.peak_memory_mb,
        "model_mb": model_mb,
        **regression_costs(many, min_tag_count, seed),
        "scored_per_second": scored.per_second,
        "dollars_per_million_scored": dollars_per_million(scored.per_second),
    }


def regression_costs(
    questions: Sequence[Question], min_tag_count: int, seed: int
) -> dict[str, float]:
    """Fit some regressions, and measure the search for similar questions apart from the fits."""
    _, matrix = fit_tfidf(tokens_of(questions), FeatureOptions())
    names = [tag for tag, _ in choose_tags(questions, min_tag_count)]
    chosen = random.Random(seed).sample(names, min(_TIMED_TAGS, len(names)))  # noqa: S311
    regressions = _Timed(**{**TrainingOptions().regressions().get_params(), "jobs": 1})
    started = time.process_time()
    regressions.fit(matrix, Truth.of(questions, chosen))
    seconds = time.process_time() - started
    search = (seconds - regressions.fit_seconds) / len(chosen)
    return {
        "terms": matrix.shape[1],
        "terms_per_question": matrix.nnz / matrix.shape[0],
        "matrix_mb": (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / 1e6,
        "search_ns_per_question_and_tag": search / len(questions) * 1e9,
        "fit_us_per_sampled_question": regressions.fit_seconds / regressions.n_sampled * 1e6,
    }


class _Timed(TagRegressions):
    """Regressions that measure the processor time of liblinear. Only for one process."""

    fit_seconds = 0.0
    n_sampled = 0

    def _fit_tag(
        self, matrix: sp.csr_matrix, sample: Any, min_weights: Any
    ) -> tuple[sp.csr_matrix, float]:
        started = time.process_time()
        fitted = super()._fit_tag(matrix, sample, min_weights)
        self.fit_seconds += time.process_time() - started
        self.n_sampled += len(sample.rows)
        return fitted


def dollars_per_million(per_second: float) -> float:
    """Return what Lambda on arm64 takes for scoring a million questions of an archive.

    Without requests: an invocation scores a whole part.
    """
    per_gb_second: float = PRICES["lambda_gb_second"]["arm64"]
    return 1e6 / per_second * FULL_CORE_MB / 1024 * per_gb_second


def growth(first: dict[str, float], last: dict[str, float], name: str) -> float:
    """Return the exponent with which a figure grows with the number of questions."""
    return math.log(last[name] / first[name]) / math.log(last["questions"] / first["questions"])


def sizes_table(sizes: Sequence[dict[str, float]]) -> str:
    """Format the figures of all sizes, and the growth from the smallest to the largest."""
    columns = {
        "questions": ("Questions", ".0f"),
        "tags": ("Tags", ".0f"),
        "cpu_seconds": ("Training (CPU s)", ".0f"),
        "peak_memory_mb": ("Memory (MB)", ".0f"),
        "matrix_mb": ("TF-IDF (MB)", ".1f"),
        "search_ns_per_question_and_tag": ("Search (ns per question and tag)", ".0f"),
        "fit_us_per_sampled_question": ("Fit (µs per sampled question)", ".1f"),
        "scored_per_second": ("Scored per second of a core", ".0f"),
        "dollars_per_million_scored": ("Price of a million", ".4f"),
    }
    rows = [[f"{size[name]:{form}}" for name, (_, form) in columns.items()] for size in sizes]
    if len(sizes) > 1:
        exponents = [f"{growth(sizes[0], sizes[-1], name):.2f}" for name in columns]
        rows.append(["Exponent of the growth", *exponents[1:]])
    return table([title for title, _ in columns.values()], rows)
