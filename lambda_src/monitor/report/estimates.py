"""Figures of several days together, with intervals that say how much chance is in them."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from lambda_src.monitor.rates import Rate

Day = Mapping[str, Any]
"""A day file."""
_Z: Final = 1.96
"""Of a normal distribution: 95 % lie within so many standard deviations."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    cases: int
    low: float
    high: float


class Period(NamedTuple):
    """What the monitor knows about some consecutive days, all model versions together."""

    last_day: date
    models: Sequence[Mapping[str, Any]]
    audits: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, days: Sequence[Day], last_day: date, n_days: int) -> "Period":
        """Collect the days that end with `last_day`.

        Parameters
        ----------
        days : sequence of day files
        last_day : date
        n_days : int
            The length of the period.
        """
        first = str(last_day - timedelta(days=n_days - 1))
        within = [day for day in days if first <= day["day"] <= str(last_day)]
        return cls(
            last_day,
            [figures for day in within for figures in day["models"].values()],
            [figures for day in within for figures in day.get("audits", {}).values()],
        )

    def count(self, name: str) -> int:
        """Add up a count of the models, such as ``predictions``."""
        return int(math.fsum(each.get(name, 0) for each in self.models))

    def estimate(self, name: str, *, audited: bool = False) -> Estimate | None:
        """Return the mean of a number from 0 to 1, such as a share; None without cases.

        Parameters
        ----------
        name : str
            One of `rates.RATES`, without those of the micro average.
        audited : bool
            Of the audits instead of the models.
        """
        figures = self.audits if audited else self.models
        rates = [Rate.from_json(each[name]) for each in figures]
        total = math.fsum(each.denominator for each in rates)
        return mean(math.fsum(each.numerator for each in rates), total) if total else None


def mean(total: float, cases: float) -> Estimate:
    """Return the mean of numbers from 0 to 1, with Wilson's interval.

    The interval is for shares. Other numbers from 0 to 1 with the same mean vary less (Bhatia and
    Davis, "A Better Bound on the Variance", American Mathematical Monthly 107, 2000), so that for
    them it is a little too wide.

    Parameters
    ----------
    total, cases : float
        The sum of the numbers, and how many they are: more than 0.

    References
    ----------
    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22,
    1927.
    """
    share = total / cases
    square = _Z**2
    centre = (share + square / (2 * cases)) / (1 + square / cases)
    half = (
        _Z / (1 + square / cases) * math.sqrt(share * (1 - share) / cases + square / (4 * cases**2))
    )
    return Estimate(share, int(cases), max(0.0, centre - half), min(1.0, centre + half))


def live_version(days: Sequence[Day]) -> str | None:
    """Return the model version that answered most questions on the last day with any."""
    for day in sorted(days, key=lambda each: str(each["day"]), reverse=True):
        models: dict[str, int] = {
            name: figures["predictions"] for name, figures in day["models"].items()
        }
        if any(models.values()):
            return max(models, key=lambda name: (models[name], name))
    return None
