"""Evidence against "nothing has changed", collected without end: an e-detector.

An e-value is a number that is not negative, and whose expectation is at most 1 while nothing has
changed. The Shiryaev-Roberts process ``R[t] = (R[t - 1] + 1) e[t]`` is then an e-detector:
``R[t] - t`` is a supermartingale, so within N observations the probability that R reaches N / a is
at most a, wherever one stops (Shin, Ramdas and Rinaldo 2024, "E-detectors: a nonparametric
framework for sequential change detection", NEJSDS, arXiv 2203.03532). A mean of such processes
is one again, so that many figures need only one limit.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from lambda_src.monitor.drift.observations import Floats

FALSE_ALARMS_PER_WEEK: Final = 0.01
"""The largest probability of an alarm in a week in which nothing has changed."""
_CAP: Final = 100.0
"""R stops growing at this many times its limit, so that an alarm ends soon after the change
does. A smaller R cannot raise more alarms."""
_MAX_RATIO: Final = 1e9
_WEEK: Final = timedelta(days=7)


def add_evidence(
    evidence: Floats, e_values: Floats, limit: float, weights: Floats | float = 1.0
) -> None:
    """Take one step of Shiryaev-Roberts processes, in place.

    Parameters
    ----------
    evidence, e_values : ndarray of float, of one shape
        Each process times its weight, and its next e-value.
    limit : float
        The value that raises the alarm.
    weights : ndarray of float, optional
        The weights of the processes, if their weighted sum is compared with the limit.
    """
    evidence += weights
    evidence *= e_values
    np.minimum(evidence, _CAP * limit, out=evidence)


def capped_evidence(level: float, p_value: float) -> float:
    """Give a p-value as evidence: 1 at the level of its test, and never more than JSON can hold."""
    return level / max(p_value, level / _MAX_RATIO)


class WeeklyLimit:
    """The limit for evidence, which grows with the traffic of a week, and the day it was reached.

    Parameters
    ----------
    min_observations : int
        A week counts as having at least so many observations.
    state : mapping, optional
        What `state` gave.

    Attributes
    ----------
    since : str or None
        The day on which the evidence reached the limit, unless it fell below the limit again.
    n_observations : int
        All observations so far.
    """

    def __init__(self, min_observations: int, state: Mapping[str, Any] | None = None) -> None:
        state = state or {}
        self._largest: int = state.get("largest_week", min_observations)
        self._in_week: int = state.get("in_week", 0)
        self._week_end = date.fromisoformat(state.get("week_end", str(date.min)))
        self.since: str | None = state.get("since")
        self.n_observations: int = state.get("observations", 0)

    @property
    def value(self) -> float:
        """The evidence that raises the alarm."""
        return max(self._largest, self._in_week) / FALSE_ALARMS_PER_WEEK

    def count(self, day: date) -> None:
        """Count one observation."""
        if day >= self._week_end:
            self._largest = max(self._largest, self._in_week)
            self._in_week, self._week_end = 0, day + _WEEK
        self._in_week += 1
        self.n_observations += 1

    def compare(self, evidence: float, day: date) -> None:
        """Note the day on which the evidence reaches the limit, and forget it when it falls."""
        if evidence < self.value:
            self.since = None
        elif self.since is None:
            self.since = str(day)

    def state(self) -> dict[str, Any]:
        """Give everything that the next observation needs, as values that JSON has."""
        return {
            "largest_week": self._largest,
            "in_week": self._in_week,
            "week_end": str(self._week_end),
            "since": self.since,
            "observations": self.n_observations,
        }
