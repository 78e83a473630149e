"""What drift is measured on: predictions, and feedback joined with its prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

FIGURES: Final = ("top_confidence", "known_share", "words", "code_share", "expected_jaccard")
"""The figures of a prediction, by the names that they have in its event."""
DECIMALS: Final = 4
"""Figures are compared after rounding to this many decimals, as events round them. Otherwise a
value that many predictions share could lie on both sides of a bin's edge."""

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Predictions:
    """Predictions in the order of time.

    Answers that the caller's options cut short do not belong here: they differ from the baseline
    for a reason that is no drift.
    """

    days: Days
    """Shape (n_predictions,), of type ``datetime64[D]``: the day of each one, in UTC."""
    figures: Floats
    """Shape (n_predictions, len(FIGURES))."""
    tags: Sequence[Sequence[str]]
    """The suggested tags of each prediction, best first; empty if the model stayed quiet."""

    @classmethod
    def from_events(cls, events: Sequence[Mapping[str, Any]]) -> Self:
        """Collect events of the type ``prediction``, which are in the order of time."""
        rows = [[event[name] for name in FIGURES] for event in events]
        return cls(
            _days(events),
            np.array(rows, dtype=np.float64).reshape(-1, len(FIGURES)),
            _lists(events, "tags"),
        )

    def __len__(self) -> int:
        return len(self.days)

    def __getitem__(self, part: slice) -> Self:
        """Select consecutive predictions."""
        return type(self)(self.days[part], self.figures[part], self.tags[part])


@dataclass(frozen=True)
class Feedbacks:
    """Feedback with final tags, in the order of time, each with the prediction that it is about."""

    days: Days
    """Shape (n_feedbacks,), of type ``datetime64[D]``: the day of the feedback, in UTC."""
    tags: Sequence[Sequence[str]]
    """The suggested tags, best first."""
    confidences: Sequence[Sequence[float]]
    """The confidence of each suggested tag."""
    final_tags: Sequence[Sequence[str]]
    """The tags that the question ended with, also those that the model does not know."""
    unknown_tags: Sequence[Sequence[str]]
    """Those of the final tags that the model does not know."""

    @classmethod
    def from_events(cls, events: Sequence[Mapping[str, Any]]) -> Self:
        """Collect joined events.

        Each has ``timestamp``, ``final_tags`` and ``unknown_tags`` of the feedback, and ``tags``
        and ``confidences`` of its prediction.
        """
        return cls(
            _days(events),
            _lists(events, "tags"),
            _lists(events, "confidences"),
            _lists(events, "final_tags"),
            _lists(events, "unknown_tags"),
        )

    def __len__(self) -> int:
        return len(self.days)

    def __getitem__(self, part: slice) -> Self:
        """Select consecutive feedbacks."""
        return type(self)(
            self.days[part],
            self.tags[part],
            self.confidences[part],
            self.final_tags[part],
            self.unknown_tags[part],
        )


def parts_by_week(days: Days) -> Iterator[tuple[np.datetime64, slice]]:
    """Cut days in ascending order where a week begins; give each Monday and the part of its week.

    Parameters
    ----------
    days : ndarray of ``datetime64[D]``, shape (n_observations,)
    """
    # Day 0 was a Thursday.
    mondays = days - (days.astype(np.int64) + 3) % 7
    cuts = np.flatnonzero(np.diff(mondays)) + 1
    for start, end in pairwise([0, *cuts.tolist(), len(days)]):
        if start < end:
            yield mondays[start], slice(start, end)


def _lists(events: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """Read a list of each event, which leaves out a field without a value."""
    return [event.get(name) or [] for event in events]


def _days(events: Sequence[Mapping[str, Any]]) -> Days:
    return np.array([str(event["timestamp"])[:10] for event in events], dtype="datetime64[D]")
