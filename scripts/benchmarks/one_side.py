"""One side of `scripts/bench training`, in a process of its own: fit, time, score.

python -m scripts.benchmarks.one_side ours|peer FOLDER
"""

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy.typing as npt
import scipy.sparse as sp
from joblib.externals.loky import get_reusable_executor
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from model_build.training import TrainingOptions
from model_build.truth import Truth
from scripts.benchmarks.processes import cpu_seconds


class Task(NamedTuple):
    """What both sides get."""

    matrix: sp.csr_matrix
    """TF-IDF of the questions to learn from."""
    truth: Truth
    unseen: sp.csr_matrix
    """TF-IDF of the questions to judge by."""


class Outcome(NamedTuple):
    """What a side gives."""

    seconds: float
    """Of fitting alone."""
    cpu_seconds: float
    """Of all its processes."""
    scores: npt.NDArray[Any]
    """Of the questions to judge by; shape (n_unseen, n_tags)."""


def main(side: str, folder: Path) -> None:
    """Read the task from the folder, write the outcome into it."""
    task: Task = joblib.load(folder / "task.joblib")
    if side == "ours":
        estimator, truth = TrainingOptions().regressions(), task.truth
    else:
        estimator = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
        truth = task.truth.has_tag.astype(int).tocsr()
    started, started_cpu = time.perf_counter(), cpu_seconds()
    estimator.fit(task.matrix, truth)
    seconds = time.perf_counter() - started
    # Workers are accounted for once they have ended.
    get_reusable_executor().shutdown(wait=True)
    outcome = Outcome(
        seconds, cpu_seconds() - started_cpu, estimator.decision_function(task.unseen)
    )
    joblib.dump(tuple(outcome), folder / f"{side}.joblib")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
