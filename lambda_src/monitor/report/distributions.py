"""What the questions are like, before and now, for each figure of a prediction.

The outlier score of a figure is the share of the last week's predictions in bins that hold less
than a hundredth of the predictions before. While nothing changes, it is a few hundredths at most.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from lambda_src.monitor.details import WORD_EDGES
from lambda_src.monitor.report.bar_charts import before_and_after
from lambda_src.monitor.report.drawing import Chart, percent
from lambda_src.monitor.report.estimates import Day
from lambda_src.monitor.windows import MIN_PREDICTIONS, WINDOW_DAYS

_BEFORE_DAYS: Final = 90
_RARE: Final = 0.01
_SHARES: Final = {
    "top_confidence": "Confidence of the best tag",
    "expected_jaccard": "Expected Jaccard index",
    "known_share": "Share of known words",
    "code_share": "Share of words from code",
}
_TITLES: Final = {**_SHARES, "words": "Number of words", "tags": "Number of suggested tags"}


class Distribution(NamedTuple):
    """A figure before and now."""

    chart: Chart | None
    """None if there is not enough data on one side."""
    title: str
    before_cases: int
    after_cases: int
    outlier_score: float | None


def distributions(days: Sequence[Day], version: str | None, today: date) -> list[Distribution]:
    """Compare the last week of a model version with the 90 days before, figure by figure.

    Parameters
    ----------
    days : sequence of day files
    version : str or None
        The model version that answers; another one would change its own figures.
    today : date
        The last day of the week.
    """
    first_now = today - timedelta(days=WINDOW_DAYS - 1)
    first_before = first_now - timedelta(days=_BEFORE_DAYS)
    now = _of_version(days, version, str(first_now), str(today))
    before = _of_version(days, version, str(first_before), str(first_now - timedelta(days=1)))
    return [_distribution(name, title, before, now) for name, title in _TITLES.items()]


def _of_version(
    days: Sequence[Day], version: str | None, first: str, last: str
) -> list[Mapping[str, Any]]:
    return [
        day["models"][version]["distributions"]
        for day in days
        if version in day["models"] and first <= day["day"] <= last
    ]


def _distribution(
    name: str, title: str, before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> Distribution:
    counts_before, counts_now = (
        [sum(bins) for bins in zip(*(each[name] for each in days), strict=True)]
        for days in (before, now)
    )
    n_before, n_now = sum(counts_before), sum(counts_now)
    if min(n_before, n_now) < MIN_PREDICTIONS:
        return Distribution(None, title, n_before, n_now, None)
    shares_before = [count / n_before for count in counts_before]
    shares_now = [count / n_now for count in counts_now]
    outliers = sum(
        after for first, after in zip(shares_before, shares_now, strict=True) if first < _RARE
    )
    names = _names(name, len(counts_now))
    grown = max(range(len(names)), key=lambda bin_: shares_now[bin_] - shares_before[bin_])
    chart = before_and_after(
        title,
        f"The bin {names[grown]} grew most, from {percent(shares_before[grown])} to "
        f"{percent(shares_now[grown])} of the predictions.",
        names,
        shares_before,
        shares_now,
    )
    return Distribution(chart, title, n_before, n_now, outliers)


def _names(name: str, n_bins: int) -> list[str]:
    """Return the names of the bins of a figure."""
    if name in _SHARES:
        return [f"{number / n_bins:.1f}+" for number in range(n_bins)]
    if name == "words":
        edges = WORD_EDGES
        return [*(f"\N{LESS-THAN OR EQUAL TO}{edge}" for edge in edges), f">{edges[-1]}"]
    return [str(number) for number in range(n_bins)]
