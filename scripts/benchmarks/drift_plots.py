"""Plots of `scripts/bench drift`, as SVG files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def draw_plots(figures: Mapping[str, Any], folder: Path) -> None:
    """Draw how the share of services that found a change grows with the observations after it.

    Parameters
    ----------
    figures : mapping
        What `scripts.benchmarks.drift.measure` gave.
    folder : Path
        For ``drift-sudden.svg`` and ``drift-feedback.svg``.
    """
    home = figures["sites"][0]
    pools = figures["pools"]
    sudden = {f"{home} → {site}": found for site, found in pools[home]["sudden"].items()}
    feedback = {}
    for name, pool in pools.items():
        feedback[f"{name}: 20 tags permuted"] = pool["permuted"]
        feedback[f"{name}: a new tag in 5 %"] = pool["new_tag"]
    folder.mkdir(parents=True, exist_ok=True)
    _draw(sudden, "predictions after the change", 150, folder / "drift-sudden.svg")
    _draw(feedback, "feedbacks after the change", 200, folder / "drift-feedback.svg")


def _draw(found: Mapping[str, Mapping[str, Any]], axis: str, goal: int, path: Path) -> None:
    # The import takes a second, and most runs need no plot.
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    # The same figures give the same file: no random ids, and no date.
    with plt.rc_context({"svg.hashsalt": "etiquette", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
        for label, of_one in found.items():
            delays = np.sort([each for each in of_one["delays"] if each is not None])
            shares = np.arange(1, len(delays) + 1) / len(of_one["delays"])
            axes.step([0, *delays], [0, *shares], where="post", label=label)
        axes.axhline(0.9, color="grey", linewidth=0.8, linestyle=":")
        axes.axvline(goal, color="grey", linewidth=0.8, linestyle=":")
        axes.set(xlabel=axis, ylabel="share of services with an alarm", ylim=(0, 1.02))
        axes.set_xlim(left=0)
        axes.legend(loc="lower right", fontsize="small")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
