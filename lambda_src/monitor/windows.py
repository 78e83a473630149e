"""The figures of the last days together, which alarms watch, and whether there is enough data."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from lambda_src.monitor.details import N_BINS
from lambda_src.monitor.rates import RATES, Rate

WINDOW_DAYS: Final = 7
"""A whole week, so that every window has the same weekdays."""
MIN_PREDICTIONS: Final = 200
MIN_FEEDBACKS: Final = 100
"""The Jaccard index of single answers has a standard deviation of about 0.35. The mean of 100 has
a standard error of 0.035, a third of the tolerance of the alarms."""
MIN_AUDITED: Final = 100
_PREDICTION_FIGURES: Final = ("prediction_rate", "expected_jaccard", "feedback_rate")

_SOME_FEEDBACKS: Final = ("precision_at_1", "acceptance_rate")
"""Figures that only a part of the feedback is about, and whose denominator counts that part."""


class FigureState(StrEnum):
    """Whether a figure says anything. Too little data does not mean that all is well."""

    MEASURED = "measured"
    NOT_ENOUGH_DATA = "not enough data"


class Figure(NamedTuple):
    """A figure of a window."""

    value: float | None
    """None if there is not enough data."""
    cases: int
    """How many predictions, feedbacks or audited questions it is about."""
    needed: int
    """How many are needed."""

    @property
    def state(self) -> FigureState:
        """Whether there is enough data."""
        known = self.value is not None
        return FigureState.MEASURED if known else FigureState.NOT_ENOUGH_DATA

    def to_json(self) -> dict[str, Any]:
        """Return the figure as the report's JSON file has it."""
        return {**self._asdict(), "state": self.state}


def window_figures(
    days: Sequence[Mapping[str, Any]], version: str, today: date
) -> dict[str, Figure]:
    """Return the figures of a model version over the last `WINDOW_DAYS` days.

    Parameters
    ----------
    days : sequence of day files
        In any order; days outside the window are ignored.
    version : str
        The model version.
    today : date
        The last day of the window.

    Returns
    -------
    dict of str to Figure
        By the names of `rates.RATES`, and those that this function adds.
    """
    first = str(today - timedelta(days=WINDOW_DAYS - 1))
    within = [day for day in days if first <= day["day"] <= str(today)]
    models = [day["models"][version] for day in within if version in day["models"]]
    audits = [day["audits"][version] for day in within if version in day.get("audits", {})]
    predictions = sum(each["predictions"] for each in models)
    judged = sum(each["judged"] for each in models)
    audited = sum(each["questions"] for each in audits)
    figures = {}
    for name in RATES:
        rate = _total(models, name)
        cases, needed = judged, MIN_FEEDBACKS
        if name in _PREDICTION_FIGURES:
            cases, needed = predictions, MIN_PREDICTIONS
        elif name in _SOME_FEEDBACKS:
            cases = int(rate.denominator)
        figures[name] = _figure(rate.value, cases, needed)
    figures["calibration_error"] = _figure(calibration_error(models), judged, MIN_FEEDBACKS)
    jaccard, expected = (
        _total(models, name).value for name in ("sample_jaccard", "expected_jaccard_of_judged")
    )
    figures["chosen_gap"] = _figure(_minus(expected, jaccard), judged, MIN_FEEDBACKS)
    audit_jaccard = _total(audits, "sample_jaccard").value
    for name in ("sample_jaccard", "sample_f1", "expected_jaccard"):
        value = _total(audits, name).value
        figures[f"audit_{name}"] = _figure(value, audited, MIN_AUDITED)
    gap = _minus(jaccard, audit_jaccard)
    enough = judged >= MIN_FEEDBACKS and audited >= MIN_AUDITED
    figures["audit_gap"] = Figure(
        gap if enough else None, min(judged, audited), max(MIN_FEEDBACKS, MIN_AUDITED)
    )
    return figures


def calibration_error(models: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the expected calibration error of the suggested tags in bins of equal width.

    It is the mean, weighted by the number of suggestions in a bin, of the distance between the
    share of chosen tags and the mean confidence.

    Parameters
    ----------
    models : sequence of mapping
        The figures of a model version on some days.

    References
    ----------
    M. Pakdaman Naeini, G. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using
    Bayesian Binning", AAAI 2015.
    """
    suggested = distance = 0.0
    for number in range(N_BINS):
        bins = [each["calibration"][number] for each in models]
        suggested += sum(each["suggested"] for each in bins)
        distance += abs(
            sum(each["chosen"] for each in bins) - math.fsum(each["confidence"] for each in bins)
        )
    return round(distance / suggested, 6) if suggested else None


def _total(models: Sequence[Mapping[str, Any]], name: str) -> Rate:
    rates = [Rate.from_json(each[name]) for each in models]
    return Rate(
        math.fsum(each.numerator for each in rates), math.fsum(each.denominator for each in rates)
    )


def _figure(value: float | None, cases: int, needed: int) -> Figure:
    return Figure(value if cases >= needed else None, cases, needed)


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one - other, 6)
