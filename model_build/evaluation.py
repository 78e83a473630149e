"""Evaluate a model on questions whose tags are known."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lambda_src.tagger import TagModel
from model_build.intervals import metric_intervals
from model_build.metrics import (
    JudgedQuestion,
    calibration_bins,
    calibration_error_by_chance,
    compute_metrics,
    expected_calibration_error,
)
from model_build.model_card import MIN_QUESTIONS
from model_build.question_kinds import TITLES_ALONE, WITH_BODIES, rows_by_kind, rows_by_year
from model_build.questions import Question
from model_build.splitting import SPLIT_FACTS

N_RANKED = 10
"""So many of the most likely tags of a question are kept."""
_MAIN_METRICS = (
    "sample_jaccard",
    "precision_at_1",
    "recall_at_5",
    "selective_precision_at_1",
    "prediction_rate",
    "ece",
    "ece_by_chance",
)
"""The metrics that a table shows for each file, kind and year."""


def judge(model: TagModel, questions: Sequence[Question]) -> list[JudgedQuestion]:
    """Predict the tags of every question, with a progress bar."""
    return [
        JudgedQuestion(
            truth=frozenset(question.tags),
            ranked=model.rank(
                question.title, question.body, body_format=question.body_format, limit=N_RANKED
            ),
            suggested=model.suggest(
                question.title, question.body, body_format=question.body_format
            ).suggestions,
        )
        for question in tqdm(questions, desc="questions", unit="question", disable=None)
    ]


def report(
    model: TagModel,
    judged: Sequence[JudgedQuestion],
    *,
    questions: Sequence[Question] = (),
    draws: int = 1_000,
    file_sizes: Mapping[Path, int] | None = None,
) -> dict[str, Any]:
    """Compute metrics, and say which model and which questions they belong to.

    Parameters
    ----------
    model : TagModel
    judged : sequence of JudgedQuestion
    questions : sequence of Question, optional
        The same questions, for metrics by kind and by year.
    draws : int
        Number of bootstrap draws for the 95 % intervals.
    file_sizes : mapping of Path to int, optional
        The files of the questions, in their order, and how many questions each has. If one was
        written by ``split``, the report names the kind of split.

    Returns
    -------
    dict
        Can be written as JSON: the metrics by their names, and ``intervals``, which holds both
        ends of each metric's interval. ``kinds`` and ``years`` hold the same for each kind and
        year of question, and ``by_file`` for each file if there are several; metrics of fewer than
        100 questions have no intervals.
    """
    sizes = file_sizes or {}

    def part(rows: Sequence[int]) -> dict[str, Any]:
        return _figures([judged[row] for row in rows], model.tags, draws)

    return {
        "model_version": model.version,
        "model_sha256": model.sha256,
        "files": [path.name for path in sizes],
        "split": _split_kind(sizes),
        "tags": len(model.tags),
        **_figures(judged, model.tags, draws, min_questions=0),
        "by_file": [
            {"file": path.stem, **part(rows)} for path, rows in _rows_by_file(sizes).items() if rows
        ],
        "kinds": [
            {"kind": kind, **part(rows)} for kind, rows in rows_by_kind(questions).items() if rows
        ],
        "years": [{"year": year, **part(rows)} for year, rows in rows_by_year(questions).items()],
    }


def _figures(
    judged: Sequence[JudgedQuestion],
    tags: Sequence[str],
    draws: int,
    min_questions: int = MIN_QUESTIONS,
) -> dict[str, Any]:
    intervals = metric_intervals(judged, tags, draws=draws) if len(judged) >= min_questions else {}
    return {
        "questions": len(judged),
        **compute_metrics(judged, tags),
        "ece_by_chance": calibration_error_by_chance(judged),
        "intervals": {name: list(interval) for name, interval in intervals.items()},
    }


def _rows_by_file(sizes: Mapping[Path, int]) -> dict[Path, range]:
    """List the questions of each file; nothing if there is one file."""
    ends = list(accumulate(sizes.values()))
    rows = {path: range(end - sizes[path], end) for path, end in zip(sizes, ends, strict=True)}
    return rows if len(rows) > 1 else {}


def _split_kind(paths: Iterable[Path]) -> str | None:
    for path in paths:
        # The files of kinds are one folder deeper.
        for folder in path.resolve().parents[:2]:
            facts = folder / SPLIT_FACTS
            if facts.exists():
                kind: str = json.loads(facts.read_text(encoding="utf-8"))["kind"]
                return kind
    return None


def write_predictions(judged: Sequence[JudgedQuestion], path: Path) -> None:
    """Write one JSON line per question: index, ranked, suggested."""
    with path.open("w", encoding="utf-8") as lines:
        for index, question in enumerate(judged):
            line = {
                "index": index,
                "ranked": [list(suggestion) for suggestion in question.ranked],
                "suggested": [suggestion.tag for suggestion in question.suggested],
            }
            lines.write(json.dumps(line) + "\n")


def draw_reliability(
    questions: Sequence[Question], judged: Sequence[JudgedQuestion], path: Path
) -> None:
    """Draw a reliability diagram, the precision of suggestions by their confidence, as a PNG.

    Titles alone and questions with bodies have a curve each.
    """
    # The import takes a second, and most evaluations need no diagram.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="perfect")
    rows_of = rows_by_kind(questions)
    for kind in (TITLES_ALONE, WITH_BODIES):
        of_kind = [judged[row] for row in rows_of[kind]]
        bins = calibration_bins(of_kind)
        if bins:
            axes.plot(
                [confidence for confidence, _, _ in bins],
                [precision for _, precision, _ in bins],
                marker="o",
                label=f"{kind}: ECE {expected_calibration_error(of_kind):.3f}, {len(bins)} bins",
            )
    axes.set(xlabel="confidence", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("Reliability")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120, metadata={"Software": None})


def table(report: dict[str, Any]) -> str:
    """Format a report as Markdown tables: all metrics, and the main ones by file, kind and year."""
    rows = []
    for name, value in report.items():
        if isinstance(value, float):
            low, high = report["intervals"].get(name, (None, None))
            interval = "" if low is None else f"{low:.4f} to {high:.4f}"
            rows.append(f"| {name} | {value:.4f} | {interval} |")
        elif isinstance(value, int | str):
            rows.append(f"| {name} | {value} | |")
    lines = ["| Metric | Value | 95 % interval |", "|---|---|---|", *rows]
    parts = [*report["by_file"], *report["kinds"], *report["years"]]
    if parts:
        lines += ["", f"| Questions | Number | {' | '.join(_MAIN_METRICS)} |"]
        lines.append("|---" * (len(_MAIN_METRICS) + 2) + "|")
    for part in parts:
        cells = [str(next(iter(part.values()))), str(part["questions"])]
        cells += [_cell(part[name], part["intervals"].get(name)) for name in _MAIN_METRICS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")
