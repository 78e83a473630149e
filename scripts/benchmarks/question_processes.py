"""Measure models in processes of their own: the time of each question, and the memory."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from scripts.shared.paths import ROOT

Text = tuple[str, str]
"""Title and body."""


class Figures(NamedTuple):
    """Percentiles of the time of one question, in milliseconds."""

    p50: float
    p99: float
    processor_p50: float
    processor_p99: float
    """Processor time: without the time in which another process used the core."""


class QuestionProcess:
    """A process that answers questions with one model.

    Parameters
    ----------
    kind : {"tagger", "handler", "baseline"}
        `tagger` calls `TagModel.suggest`, `handler` the whole Lambda function, and `baseline` the
        scikit-learn model.
    model : Path
        A bundle, or the joblib file of a baseline.

    Attributes
    ----------
    loaded : dict
        Figures after the model was loaded: `load_ms`, `rss_mb` and `peak_rss_mb`.
    """

    def __init__(self, kind: str, model: Path) -> None:
        command = [sys.executable, "-m", "scripts.benchmarks.question_worker", kind, str(model)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.loaded = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)  # the worker ends when its input is closed

    def ask(self, questions: Sequence[Text], *, counted: bool = True) -> dict[str, Any]:
        """Answer questions; return their times and the memory afterwards.

        Parameters
        ----------
        questions
            The questions, in order.
        counted
            Include the times in `figures`.

        Returns
        -------
        dict
            `wall_ms` and `processor_ms`, a list each; `rss_mb` and `peak_rss_mb`.
        """
        print(json.dumps(list(questions)), file=self._process.stdin, flush=True)
        measured = self._read()
        if counted:
            self.wall += measured["wall_ms"]
            self.processor += measured["processor_ms"]
        return measured

    def figures(self) -> Figures:
        """Return percentiles of the counted times."""
        wall, processor = np.percentile([self.wall, self.processor], [50, 99], axis=1).T
        return Figures(*map(float, (*wall, *processor)))

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise subprocess.CalledProcessError(self._process.wait(), self._process.args)
        measured: dict[str, Any] = json.loads(line)
        return measured


def take_turns(
    processes: Mapping[str, QuestionProcess],
    blocks: Mapping[str, int],
    questions: Sequence[Text],
    rounds: int,
) -> None:
    """Let processes answer in turn, so that other load on the machine affects all of them.

    Parameters
    ----------
    processes : mapping of str to QuestionProcess
    blocks : mapping of str to int
        The number of questions that each process answers in a turn. In a turn of more than ten,
        the first three are asked once more without being counted, to warm the processor's caches.
    questions : sequence of (title, body)
        The questions for each process; a turn continues where the last one stopped.
    rounds : int
        The number of turns of each process.
    """
    for turn in range(rounds):
        for name, process in processes.items():
            n_asked = blocks[name]
            asked = [questions[(turn * n_asked + i) % len(questions)] for i in range(n_asked)]
            if n_asked > 10:
                process.ask(asked[:3], counted=False)
            process.ask(asked)
