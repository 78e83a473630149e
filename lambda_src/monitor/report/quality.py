"""The charts of quality, calibration and use over time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from lambda_src.monitor.report.calibration_chart import calibration_chart
from lambda_src.monitor.report.drawing import Chart, percent
from lambda_src.monitor.report.estimates import Day, Estimate, Period, mean
from lambda_src.monitor.report.line_chart import Line, Mark, line_chart
from lambda_src.monitor.windows import MIN_AUDITED, MIN_FEEDBACKS, MIN_PREDICTIONS

N_WEEKS: Final = 52
RECENT_DAYS: Final = 30
"""Calibration and tags are about the last so many days."""
_MIN_IN_BIN: Final = 10


def quality_charts(days: Sequence[Day], today: date) -> list[Chart]:
    """Draw quality and use over twelve months, and the calibration of the last days.

    Parameters
    ----------
    days : sequence of day files
    today : date
        The last day of the last week.
    """
    weeks = [
        Period.of(days, today - timedelta(weeks=N_WEEKS - 1 - number), 7)
        for number in range(N_WEEKS)
    ]
    ends = [week.last_day for week in weeks]
    marks = list(_new_versions(days, ends))

    def line(title: str, needed: int, name: str, *, audited: bool = False) -> Line:
        return Line(title, [week.estimate(name, audited=audited) for week in weeks], needed)

    return [
        line_chart(
            "Jaccard index",
            "How well the suggested tags agree with the tags that a question ended with: from "
            "feedback, from audits, and what the model itself expected of these answers.",
            ends,
            [
                line("Feedback", MIN_FEEDBACKS, "sample_jaccard"),
                line("Audit", MIN_AUDITED, "sample_jaccard", audited=True),
                line("Expected", MIN_PREDICTIONS, "expected_jaccard"),
            ],
            marks=marks,
        ),
        line_chart(
            "F1 and first tag",
            "F1 of the suggested tags, and the share of answers whose first tag was chosen, both "
            "from feedback.",
            ends,
            [
                line("F1", MIN_FEEDBACKS, "sample_f1"),
                line("First tag right", MIN_FEEDBACKS, "precision_at_1"),
            ],
            marks=marks,
        ),
        line_chart(
            "Prediction rate",
            "The share of questions that got at least one tag.",
            ends,
            [line("Prediction rate", MIN_PREDICTIONS, "prediction_rate")],
            marks=marks,
            write=percent,
        ),
        calibration_chart(
            "Calibration",
            f"How often a suggested tag was chosen, by its confidence, in the last {RECENT_DAYS} "
            "days. Below the dashed line, the model is too sure. A larger dot stands for more "
            "tags.",
            calibration(Period.of(days, today, RECENT_DAYS).models),
        ),
    ]


def calibration(models: Sequence[Mapping[str, Any]]) -> list[tuple[float, Estimate]]:
    """Return mean confidence and share of chosen tags of each bin with enough tags."""
    found = []
    for bins in zip(*(each["calibration"] for each in models), strict=True):
        suggested = sum(each["suggested"] for each in bins)
        if suggested >= _MIN_IN_BIN:
            confidence = sum(each["confidence"] for each in bins) / suggested
            found.append((confidence, mean(sum(b["chosen"] for b in bins), suggested)))
    return found


def _new_versions(days: Sequence[Day], ends: Sequence[date]) -> Iterator[Mark]:
    """Yield the weeks in which a model version answered for the first time, after the first."""
    seen: dict[str, str] = {}
    for day in sorted(days, key=lambda each: str(each["day"])):
        for version in day["models"]:
            seen.setdefault(version, day["day"])
    for version, first in list(seen.items())[1:]:
        within = [place for place, end in enumerate(ends) if str(end) >= first]
        if within and str(ends[0] - timedelta(days=7)) < first:
            yield Mark(within[0], f"model {version}")
