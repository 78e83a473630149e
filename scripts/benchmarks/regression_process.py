"""Fit and time one regression per tag in a process of its own, for `scripts/bench training`.

Usage: python -m scripts.benchmarks.regression_process ours|peer FOLDER

`ours` fits as `model_build.training` does, `peer` as scikit-learn's `OneVsRestClassifier` does.
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
from scripts.benchmarks.command_cost import cpu_seconds


class Task(NamedTuple):
    """The input of both processes."""

    matrix: sp.csr_matrix
    """TF-IDF of the training questions; shape (n_questions, n_terms)."""
    truth: Truth
    unseen: sp.csr_matrix
    """TF-IDF of the test questions; shape (n_unseen, n_terms)."""


class Outcome(NamedTuple):
    """The result of a process."""

    seconds: float
    """The wall-clock time of the fit."""
    cpu_seconds: float
    """The processor time of the fit, in all its processes."""
    scores: npt.NDArray[Any]
    """Scores of the test questions; shape (n_unseen, n_tags)."""


def main(kind: str, folder: Path) -> None:
    """Read the task from the folder, and write the outcome to it."""
    task: Task = joblib.load(folder / "task.joblib")
    if kind == "ours":
        estimator, truth = TrainingOptions().regressions(), task.truth
    else:
        estimator = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
        truth = task.truth.has_tag.astype(int).tocsr()
    started, started_cpu = time.perf_counter(), cpu_seconds()
    estimator.fit(task.matrix, truth)
    seconds = time.perf_counter() - started
    # The processor time of workers is only known after they have ended.
    get_reusable_executor().shutdown(wait=True)
    outcome = Outcome(
        seconds, cpu_seconds() - started_cpu, estimator.decision_function(task.unseen)
    )
    joblib.dump(tuple(outcome), folder / f"{kind}.joblib")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
