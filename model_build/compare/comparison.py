"""Train and measure the candidates."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from lambda_src.tagger import Suggestion, TagModel
from model_build.bundle_writer import write_bundle
from model_build.compare.candidates import BENCH_PYTHON, EMBEDDINGS, VARIANTS
from model_build.compare.errors import CompareError
from model_build.corpus import write_questions
from model_build.evaluation import judge
from model_build.gate.budget import median_milliseconds
from model_build.intervals import metric_intervals
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.questions import Question
from model_build.tracking.environment import ROOT
from model_build.training import choose_tags, fit

_DRAWS: Final = 500


class Parts(NamedTuple):
    """The questions of a comparison."""

    training: list[Question]
    validation: list[Question]


def compare(
    names: Sequence[str],
    parts: Parts,
    *,
    min_tag_count: int,
    jobs: int,
    seed: int,
    folder: Path,
) -> list[dict[str, Any]]:
    """Train each candidate and measure it on the validation part.

    Parameters
    ----------
    names : sequence of str
        See `model_build.compare.candidates.names`.
    parts : Parts
    min_tag_count, jobs, seed : int
        See `model_build.training.TrainingOptions`.
    folder : Path
        Where the bundles are written, ``NAME.safetensors`` each.

    Returns
    -------
    list of dict
        One per candidate, best sample Jaccard first; can be written as JSON. ``milliseconds`` is
        the median time of an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    candidates = []
    models = {}
    for name in names:
        print(f"{name}: training on {len(parts.training)} questions", file=sys.stderr)
        if name == EMBEDDINGS:
            candidates.append(_embeddings(parts, min_tag_count))
            continue
        path = folder / f"{name}.safetensors"
        options = replace(VARIANTS[name], min_tag_count=min_tag_count, jobs=jobs, seed=seed)
        started = time.perf_counter()
        write_bundle(fit(parts.training, options), path, corpus={})
        seconds = time.perf_counter() - started
        models[name] = model = TagModel.load(path)
        candidates.append(
            {
                "name": name,
                "bundle": path.name,
                "bundle_sha256": model.sha256,
                "train_seconds": round(seconds, 1),
                "megabytes": path.stat().st_size / 1e6,
                **_figures(judge(model, parts.validation), model.tags),
                "options": {key: each for key, each in asdict(options).items() if key != "jobs"},
            }
        )
    # All in one run, question by question, so that other load meets all of them.
    times = dict(
        zip(models, median_milliseconds(list(models.values()), parts.validation), strict=True)
    )
    for candidate in candidates:
        candidate.setdefault("milliseconds", times.get(candidate["name"]))
    return sorted(candidates, key=lambda each: -each["sample_jaccard"])


def _figures(judged: Sequence[JudgedQuestion], tags: Sequence[str]) -> dict[str, Any]:
    intervals = metric_intervals(judged, tags, draws=_DRAWS)
    return {
        **compute_metrics(judged, tags),
        "intervals": {name: list(interval) for name, interval in intervals.items()},
    }


def _embeddings(parts: Parts, min_tag_count: int) -> dict[str, Any]:
    """Train and ask the embeddings in the environment that has their packages."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder)
        for name, questions in parts._asdict().items():
            write_questions(questions, written / f"{name}.parquet")
        command: list[str | Path] = [BENCH_PYTHON, "-m", "scripts.benchmarks.embedding_candidate"]
        command += [written, "--min-tag-count", str(min_tag_count)]
        done = subprocess.run(command, cwd=ROOT, stdout=2, check=False)
        if done.returncode:
            raise CompareError(
                f"{EMBEDDINGS} failed with exit code {done.returncode}: see the output above. "
                "Leave it out with --candidates."
            )
        answers = json.loads((written / "answers.json").read_text(encoding="utf-8"))
    judged = [
        JudgedQuestion(
            frozenset(question.tags),
            [Suggestion(*each) for each in ranked],
            [Suggestion(*each) for each in suggested],
        )
        for question, (ranked, suggested) in zip(
            parts.validation, answers.pop("answers"), strict=True
        )
    ]
    tags = [tag for tag, _ in choose_tags(parts.training, min_tag_count)]
    return {"name": EMBEDDINGS, **answers, **_figures(judged, tags), "options": {}}


def pareto_front(candidates: Sequence[dict[str, Any]]) -> list[str]:
    """Name the candidates that no other one beats in both time and sample Jaccard.

    Examples
    --------
    >>> figures = [("a", 0.30, 1.0), ("b", 0.25, 0.5), ("c", 0.24, 0.8)]
    >>> keys = ("name", "sample_jaccard", "milliseconds")
    >>> pareto_front([dict(zip(keys, each)) for each in figures])
    ['b', 'a']
    """
    front: list[str] = []
    best = float("-inf")
    for each in sorted(candidates, key=lambda one: (one["milliseconds"], -one["sample_jaccard"])):
        if each["sample_jaccard"] > best:
            best = each["sample_jaccard"]
            front.append(each["name"])
    return front
