"""Ask a model about questions whose tags are known, and report how it did."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lambda_src.tagger import TagModel
from model_build.figures import Judged, figures
from model_build.questions import Question

N_RANKED = 10


def judge(model: TagModel, questions: Sequence[Question]) -> list[Judged]:
    """Predict every question, with a progress bar."""
    return [
        Judged(
            truth=frozenset(question.tags),
            ranked=model.rank(
                question.title, question.body_html, body_format="html", limit=N_RANKED
            ),
            suggested=model.suggest(
                question.title, question.body_html, body_format="html"
            ).suggestions,
        )
        for question in tqdm(questions, desc="questions", unit="question", disable=None)
    ]


def report(model: TagModel, judged: Sequence[Judged]) -> dict[str, Any]:
    """Put the figures together with what was judged."""
    return {
        "model_version": model.version,
        "model_sha256": model.sha256,
        "questions": len(judged),
        "tags": len(model.tags),
        **figures(judged, model.tags),
    }


def write_predictions(judged: Sequence[Judged], path: Path) -> None:
    """Write one JSON line per question: index, ranked, suggested."""
    with path.open("w", encoding="utf-8") as lines:
        for index, each in enumerate(judged):
            line = {
                "index": index,
                "ranked": [list(suggestion) for suggestion in each.ranked],
                "suggested": [suggestion.tag for suggestion in each.suggested],
            }
            lines.write(json.dumps(line) + "\n")


def table(report: dict[str, Any]) -> str:
    """Write the figures as a Markdown table."""
    rows = [
        f"| {name} | {value:.4f} |" if isinstance(value, float) else f"| {name} | {value} |"
        for name, value in report.items()
    ]
    return "\n".join(["| Figure | Value |", "|---|---|", *rows])
