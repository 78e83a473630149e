"""Processes that answer questions in turn: what each takes, and the memory it holds."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from scripts.emulator.places import ROOT

Text = tuple[str, str]
"""Title and body."""


class Figures(NamedTuple):
    """What a side took, in milliseconds."""

    p50: float
    p99: float
    processor_p50: float
    processor_p99: float
    """Without the time in which another process had the core."""


class Side:
    """A process with one model.

    Parameters
    ----------
    kind : {"ours", "rival", "handler"}
        See `scripts.benchmarks.stacks.worker`.
    model : Path
    """

    def __init__(self, kind: str, model: Path) -> None:
        command = [sys.executable, "-m", "scripts.benchmarks.stacks.worker", kind, str(model)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.loaded = self._read()
        """What the process said once its model was there: load_ms, rss_mb, peak_rss_mb."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)  # closes its input, at which it ends

    def ask(self, questions: Sequence[Text], *, counted: bool = True) -> dict[str, Any]:
        """Let it answer questions; gives the times and the memory after them."""
        print(json.dumps(list(questions)), file=self._process.stdin, flush=True)
        told = self._read()
        if counted:
            self.wall += told["wall_ms"]
            self.processor += told["processor_ms"]
        return told

    def figures(self) -> Figures:
        """Sum up what was counted so far."""
        wall, processor = np.percentile([self.wall, self.processor], [50, 99], axis=1).T
        return Figures(*map(float, (*wall, *processor)))

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise subprocess.CalledProcessError(self._process.wait(), self._process.args)
        told: dict[str, Any] = json.loads(line)
        return told


def take_turns(
    sides: Mapping[str, Side],
    blocks: Mapping[str, int],
    questions: Sequence[Text],
    rounds: int,
) -> None:
    """Let sides answer by turns, so that whatever else the machine does hits all of them.

    Parameters
    ----------
    sides : mapping of str to Side
    blocks : mapping of str to int
        How many questions each answers before the next has its turn; the first three of a turn
        are not counted where there are more than ten: they find the processor's caches cold.
    questions : sequence of (title, body)
        All sides get the same; each begins where it stopped.
    rounds : int
    """
    for turn in range(rounds):
        for name, side in sides.items():
            n_asked = blocks[name]
            asked = [questions[(turn * n_asked + i) % len(questions)] for i in range(n_asked)]
            if n_asked > 10:
                side.ask(asked[:3], counted=False)
            side.ask(asked)
