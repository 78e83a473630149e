"""The table and the picture of a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_build.compare.comparison import pareto_front


def table(candidates: Sequence[dict[str, Any]]) -> str:
    """Format the candidates as a Markdown table, in their order."""
    lines = [
        "| Candidate | Sample Jaccard (95 %) | Sample F1 | P@1 | R@5 | Answer (ms) | Size (MB) "
        "| Training (s) |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in candidates:
        low, high = each["intervals"]["sample_jaccard"]
        lines.append(
            f"| {each['name']} | {each['sample_jaccard']:.3f} ({low:.3f} to {high:.3f}) "
            f"| {each['sample_f1']:.3f} | {each['precision_at_1']:.3f} "
            f"| {each['recall_at_5']:.3f} | {each['milliseconds']:.3f} "
            f"| {each['megabytes']:.1f} | {each['train_seconds']:.0f} |"
        )
    return "\n".join(lines)


def draw(candidates: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw sample Jaccard by the time of an answer, with the Pareto front, as a PNG or SVG.

    The area of a point is the size of the model.
    """
    # The import takes a second, and most commands need no picture.
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import LogLocator  # noqa: PLC0415

    front = pareto_front(candidates)
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    by_name = {each["name"]: each for each in candidates}
    line = [(by_name[name]["milliseconds"], by_name[name]["sample_jaccard"]) for name in front]
    axes.plot(*zip(*line, strict=True), color="tab:orange", linewidth=1, zorder=1)
    for each in candidates:
        low, high = each["intervals"]["sample_jaccard"]
        value, x = each["sample_jaccard"], each["milliseconds"]
        color = "tab:orange" if each["name"] in front else "tab:blue"
        axes.errorbar(x, value, [[max(value - low, 0)], [max(high - value, 0)]], color=color, lw=1)
        axes.scatter(x, value, s=30 + 8 * each["megabytes"], color=color, alpha=0.7, zorder=2)
    _label(axes, candidates)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set(xlabel="median time of an answer (ms)", ylabel="sample Jaccard, with 95 % interval")
    axes.set_title("Candidates on the validation part (area: size; orange: Pareto front)")
    axes.grid(visible=True, which="both", linewidth=0.3)
    metadata = {"Software": None} if path.suffix == ".png" else {"Date": None}
    figure.savefig(path, dpi=120, metadata=metadata)


def _label(axes: Any, candidates: Sequence[dict[str, Any]]) -> None:
    """Write the names in a column at the right, in the order of the values, each with a line."""
    ordered = sorted(candidates, key=lambda each: float(each["sample_jaccard"]))
    for place, each in enumerate(ordered):
        axes.annotate(
            each["name"],
            (each["milliseconds"], each["sample_jaccard"]),
            xytext=(1.02, (place + 0.5) / len(ordered)),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "grey", "linewidth": 0.5},
        )
