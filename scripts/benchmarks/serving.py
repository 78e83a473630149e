"""Latency, cold starts, memory and cost of the service, compared with a baseline.

The baseline is what tutorials build: FastAPI, Mangum, Powertools, boto3 and a joblib file with
scikit-learn's TF-IDF and a logistic regression per tag. The tuned baseline has all its weights in
one matrix of 32-bit floats. In the figures, `usual` is the baseline and `tuned` the tuned baseline.
"""

import argparse
import hashlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lambda_src.tagger import read_bundle
from lambda_src.tagger.kernel import Kernel
from model_build.questions import Question
from scripts.benchmarks import served_models
from scripts.benchmarks.cold_starts import Function, cold_starts, limits_processor
from scripts.benchmarks.costs import costs
from scripts.benchmarks.growth import KIB, LENGTHS_KIB, hostile_questions, long_question, tile
from scripts.benchmarks.image_layers import image_layers_mb
from scripts.benchmarks.question_processes import QuestionProcess, Text, take_turns
from scripts.benchmarks.served_models import ServedModels
from scripts.benchmarks.serving_tables import serving_tables

REQUESTS: Final = 10_000
GROWN_TAGS: Final = (1_000, 10_000)
MEMORY_SIZES: Final = (256, 512, 1024, 1769)
DEPLOYED_MB: Final = 1024
"""The default memory size of the function in the stack."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scripts/bench serving`."""
    command.add_argument("--questions", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--model", type=Path, metavar="BUNDLE", help="serve this bundle instead of training one"
    )
    command.add_argument(
        "--quick",
        action="store_true",
        help="use few questions and few starts: a quick check, not a measurement",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure, print the tables, and return the figures."""
    questions = served_models.read(options.questions, quick=options.quick)
    models = served_models.served_models(questions, options.questions, options.model)
    if not Kernel.can_rank(read_bundle(models.bundle)):
        sys.exit(
            "bench: The kernel is missing, but the image contains it. Run scripts/setup kernel."
        )
    texts = [(each.title, each.body) for each in questions]
    found = _bundle(models) | _speed(models, texts, rounds=3 if options.quick else 25)
    found |= _memory(models, texts, 1_000 if options.quick else REQUESTS)
    found |= _growth(models, questions, rounds=2 if options.quick else 10)
    found |= _cold_starts(models, quick=options.quick)
    found["image_layers_mb"] = image_layers_mb()
    found["dollars_per_million"] = costs(
        found["handler_p50_ms"], found["usual_p50_ms"], list(MEMORY_SIZES)
    )
    print(serving_tables(found))
    return found


def _bundle(models: ServedModels) -> dict[str, Any]:
    loads = []
    for _ in range(5):
        with QuestionProcess("tagger", models.bundle) as process:
            loads.append(process.loaded["load_ms"])
    manifest = served_models.manifest_of(models.bundle)
    return {
        "tags": len(manifest["tags"]),
        "terms_before_pruning": manifest["corpus"].get("terms_before_pruning"),
        "bundle_mb": models.bundle.stat().st_size / 1e6,
        "bundle_load_ms": statistics.median(loads),
    }


def _speed(models: ServedModels, questions: Sequence[Text], rounds: int) -> dict[str, Any]:
    with (
        QuestionProcess("tagger", models.bundle) as tagger,
        QuestionProcess("baseline", models.tuned) as tuned,
        QuestionProcess("baseline", models.baseline) as baseline,
        QuestionProcess("handler", models.bundle) as handler,
    ):
        processes = {"suggest": tagger, "tuned": tuned, "usual": baseline, "handler": handler}
        blocks = {"suggest": 200, "tuned": 100, "usual": 3, "handler": 100}
        for name, process in processes.items():
            process.ask(questions[: 1 if name == "usual" else 200], counted=False)
        take_turns(processes, blocks, questions, rounds)
        found: dict[str, Any] = {}
        for name, process in processes.items():
            figures = process.figures()._asdict()
            found |= {f"{name}_{figure}_ms": value for figure, value in figures.items()}
            found[f"{name}_rss_mb"] = process.ask(questions[:1], counted=False)["rss_mb"]
    found["speedup_usual"] = found["usual_p50_ms"] / found["suggest_p50_ms"]
    found["speedup_tuned"] = found["tuned_p50_ms"] / found["suggest_p50_ms"]
    found["memory_share_of_tuned"] = found["suggest_rss_mb"] / found["tuned_rss_mb"]
    return found


def _memory(models: ServedModels, questions: Sequence[Text], n_requests: int) -> dict[str, Any]:
    rss_mb = []
    with QuestionProcess("handler", models.bundle) as function:
        for start in range(0, n_requests, 100):
            asked = [questions[(start + i) % len(questions)] for i in range(100)]
            measured = function.ask(asked)
            rss_mb.append(measured["rss_mb"])
    return {
        "requests": n_requests,
        "peak_rss_mb": measured["peak_rss_mb"],
        "rss_growth_last_half_mb": rss_mb[-1] - rss_mb[len(rss_mb) // 2 - 1],
    }


def _growth(models: ServedModels, questions: Sequence[Question], rounds: int) -> dict[str, Any]:
    texts = [(each.title, each.body) for each in questions]
    few, many = GROWN_TAGS
    with tempfile.TemporaryDirectory() as folder:
        grown = {size: Path(folder) / f"{size}.safetensors" for size in GROWN_TAGS}
        for size, path in grown.items():
            tile(models.bundle, path, size)
        with (
            QuestionProcess("tagger", grown[few]) as small,
            QuestionProcess("tagger", grown[many]) as large,
        ):
            processes = {str(few): small, str(many): large}
            for process in processes.values():
                process.ask(texts[:200], counted=False)
            take_turns(processes, dict.fromkeys(processes, 100), texts, rounds)
            growth = {name: process.figures().p50 for name, process in processes.items()}
    lengths: dict[str, float] = {}
    with QuestionProcess("tagger", models.bundle) as process:
        process.ask(texts[:200], counted=False)
        for kib in LENGTHS_KIB:
            asked = [long_question(questions, kib * KIB)] * (3 * rounds)
            lengths[str(kib)] = statistics.median(process.ask(asked, counted=False)["wall_ms"])
        hostile = {
            name: statistics.median(process.ask([text] * 3, counted=False)["wall_ms"])
            for name, text in hostile_questions().items()
        }
    worst = max(hostile, key=lambda name: hostile[name])
    return {
        "tags_growth": growth[str(many)] / growth[str(few)],
        "tags_p50_ms": growth,
        "length_p50_ms": lengths,
        "hostile_ms": hostile[worst],
        "hostile_kind": worst,
    }


def _cold_starts(models: ServedModels, *, quick: bool) -> dict[str, Any]:
    digest = hashlib.sha256(models.bundle.read_bytes()).hexdigest()
    functions = {
        "ours": Function(
            "lambda_src.api.handler.handler",
            {
                "ETIQUETTE_MODEL": f"s3://models/{models.bundle.name}",
                "ETIQUETTE_MODEL_SHA256": digest,
            },
            models.bundle,
        ),
        "usual": Function(
            "scripts.benchmarks.baseline_service.handler.handler",
            {"BASELINE_MODEL": f"s3://models/{models.small.name}"},
            models.small,
        ),
    }
    sizes = (DEPLOYED_MB,) if quick else MEMORY_SIZES
    found = cold_starts(functions, sizes, n_starts=2 if quick else 5)
    ratios = [times["ours"] / times["usual"] for times in found.values()]
    return {
        "cold_starts_limited": limits_processor(),
        "cold_start_ms": {str(size): times for size, times in found.items()},
        "cold_start_ratio": statistics.median(ratios),
    }
