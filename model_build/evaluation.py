"""Ask a model about questions whose tags are known, and report how it did."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lambda_src.tagger import TagModel
from model_build.figures import Judged, calibration_bins, figures
from model_build.intervals import intervals
from model_build.questions import Question
from model_build.splitting import SPLIT_FACTS

N_RANKED = 10


def judge(model: TagModel, questions: Sequence[Question]) -> list[Judged]:
    """Predict every question, with a progress bar."""
    return [
        Judged(
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
    model: TagModel, judged: Sequence[Judged], *, draws: int = 1_000, paths: Sequence[Path] = ()
) -> dict[str, Any]:
    """Put the figures together with what was judged.

    Parameters
    ----------
    model : TagModel
    judged : sequence of Judged
    draws : int
        Of the bootstrap that gives the 95 % intervals.
    paths : sequence of Path
        The questions' files: where one is part of a split, the report says of what kind.

    Returns
    -------
    dict
        As JSON allows: the figures by their names, and ``intervals`` with low and high by name.
    """
    spread = intervals(judged, model.tags, draws=draws)
    return {
        "model_version": model.version,
        "model_sha256": model.sha256,
        "files": [path.name for path in paths],
        "split": _split_kind(paths),
        "questions": len(judged),
        "tags": len(model.tags),
        **figures(judged, model.tags),
        "intervals": {name: list(interval) for name, interval in spread.items()},
    }


def _split_kind(paths: Sequence[Path]) -> str | None:
    for path in paths:
        facts = path.parent / SPLIT_FACTS
        if facts.exists():
            kind: str = json.loads(facts.read_text(encoding="utf-8"))["kind"]
            return kind
    return None


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


def draw_reliability(judged: Sequence[Judged], path: Path) -> None:
    """Draw how often suggestions were right against how sure the model was, as a PNG."""
    # Imported here: it takes a second, and most evaluations draw nothing.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    bins = calibration_bins(judged)
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="perfect")
    axes.plot(
        [said for said, _, _ in bins],
        [was for _, was, _ in bins],
        marker="o",
        label=f"suggested tags, {len(bins)} bins of equal mass",
    )
    axes.set(xlabel="confidence", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("Reliability")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


def table(report: dict[str, Any]) -> str:
    """Write the figures as a Markdown table."""
    rows = []
    for name, value in report.items():
        if isinstance(value, float):
            low, high = report["intervals"].get(name, (None, None))
            spread = "" if low is None else f"{low:.4f} to {high:.4f}"
            rows.append(f"| {name} | {value:.4f} | {spread} |")
        elif isinstance(value, int | str):
            rows.append(f"| {name} | {value} | |")
    return "\n".join(["| Figure | Value | 95 % interval |", "|---|---|---|", *rows])
