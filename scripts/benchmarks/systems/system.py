"""The interface of the compared systems: train on a corpus and answer questions."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from lambda_src.tagger import Suggestion
from model_build.questions import Question

N_RANKED: Final = 10

Floats = npt.NDArray[np.float64]
Choose = Callable[[list[Suggestion]], list[Suggestion]]


class Corpus(NamedTuple):
    """The training data of every system."""

    questions: Sequence[Question]
    tags: list[str]
    """The tags that may be suggested: those with at least `min_tag_count` questions."""
    min_tag_count: int

    @property
    def marks(self) -> sp.csr_matrix:
        """The tags of each question as 0 and 1; shape (n_questions, n_tags)."""
        number = {tag: place for place, tag in enumerate(self.tags)}
        numbers = [[number[tag] for tag in each.tags if tag in number] for each in self.questions]
        starts = np.cumsum([0, *map(len, numbers)])
        flat = np.array([tag for each in numbers for tag in each], dtype=np.int32)
        shape = (len(self.questions), len(self.tags))
        # Not int8: scikit-learn numbers the tags with the data type of this matrix.
        return sp.csr_matrix((np.ones(len(flat), dtype=np.int64), flat, starts), shape=shape)


class Answer(NamedTuple):
    """A system's answer to one question."""

    ranked: list[Suggestion]
    """The ten best tags, the best first."""
    suggested: list[Suggestion]
    """The tags among them that the system would show to a user."""


class System(Protocol):
    """A system, configured as its own documentation recommends."""

    @property
    def seconds_saved(self) -> float:
        """The training time saved by reusing results of an earlier run, in seconds."""

    def fit(self, corpus: Corpus) -> None:
        """Train the system. The table shows how long this takes."""

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions. A system must not use their tags."""

    def megabytes(self) -> float:
        """Return the size of the files that a service needs."""


def peer(module: str) -> Any:
    """Import a package that is only installed in the environment of scripts/bench quality."""
    return import_module(module)


def best_three(ranked: list[Suggestion]) -> list[Suggestion]:
    """Suggest as many tags as an average question has, for systems without confidences."""
    return ranked[:3]


def at_least(confidence: float) -> Choose:
    """Suggest the tags with at least this confidence."""
    return lambda ranked: [each for each in ranked if each.confidence >= confidence]


def answers(scores: Floats, tags: Sequence[str], choose: Choose) -> list[Answer]:
    """Convert scores into answers.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_questions, n_tags)
    tags : sequence of str
        The names of the tags.
    choose : callable
        Selects the suggested tags from the ranked ones.
    """
    limit = min(N_RANKED, len(tags))
    best = np.argpartition(-scores, limit - 1, axis=1)[:, :limit]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    given = []
    for row, places in zip(scores, best, strict=True):
        ranked = [Suggestion(tags[place], float(row[place])) for place in places]
        given.append(Answer(ranked, choose(ranked)))
    return given
