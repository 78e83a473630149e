"""What every system can do here: learn from a corpus, answer questions, say how large it is."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from lambda_src.tagger import Suggestion
from model_build.questions import Question

CACHE: Final = Path(__file__).parents[3] / ".cache" / "bench"
N_RANKED: Final = 10

Floats = npt.NDArray[np.float64]
Choose = Callable[[list[Suggestion]], list[Suggestion]]


class Corpus(NamedTuple):
    """What every system learns from."""

    questions: Sequence[Question]
    tags: list[str]
    """Those that may be suggested: the ones with enough uses in the questions."""
    min_tag_count: int
    """What enough is."""

    @property
    def marks(self) -> sp.csr_matrix:
        """Which question has which tag: 0 and 1, shape (n_questions, n_tags)."""
        number = {tag: place for place, tag in enumerate(self.tags)}
        numbers = [[number[tag] for tag in each.tags if tag in number] for each in self.questions]
        starts = np.cumsum([0, *map(len, numbers)])
        flat = np.array([tag for each in numbers for tag in each], dtype=np.int32)
        shape = (len(self.questions), len(self.tags))
        # Not bytes: scikit-learn numbers the tags in the type of the marks.
        return sp.csr_matrix((np.ones(len(flat), dtype=np.int64), flat, starts), shape=shape)


class Answer(NamedTuple):
    """What a system says of one question."""

    ranked: list[Suggestion]
    """The ten best tags, best first."""
    suggested: list[Suggestion]
    """Those of them that a person would be shown."""


class Rival(Protocol):
    """One system, set up as its own documentation advises."""

    @property
    def seconds_saved(self) -> float:
        """What parts of its training cost that were kept from another run and not done again."""

    def fit(self, corpus: Corpus) -> None:
        """Train; its time is the training time of the table."""

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer questions, which it must not look at the tags of."""

    def megabytes(self) -> float:
        """Size of what has to be shipped to answer questions."""


def peer(module: str) -> Any:
    """Import what the environment of scripts/bench quality alone has."""
    return import_module(module)


def best_three(ranked: list[Suggestion]) -> list[Suggestion]:
    """Suggest as many tags as a question has on average: for systems without confidences."""
    return ranked[:3]


def at_least(confidence: float) -> Choose:
    """Suggest the tags with that confidence or more."""
    return lambda ranked: [each for each in ranked if each.confidence >= confidence]


def answers(scores: Floats, tags: Sequence[str], choose: Choose) -> list[Answer]:
    """Turn a score for each question and tag, shape (n_questions, n_tags), into answers."""
    limit = min(N_RANKED, len(tags))
    best = np.argpartition(-scores, limit - 1, axis=1)[:, :limit]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    given = []
    for row, places in zip(scores, best, strict=True):
        ranked = [Suggestion(tags[place], float(row[place])) for place in places]
        given.append(Answer(ranked, choose(ranked)))
    return given
