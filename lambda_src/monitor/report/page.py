"""The report as one HTML page, without scripts and without other hosts."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.report.bar_charts import before_and_after, meter
from lambda_src.monitor.report.distributions import distributions
from lambda_src.monitor.report.drawing import Chart, index, percent
from lambda_src.monitor.report.estimates import Day, Period, live_version
from lambda_src.monitor.report.quality import RECENT_DAYS, quality_charts
from lambda_src.monitor.report.summary import KINDS, summarize
from lambda_src.monitor.report.tags import new_tags, worst_tags
from lambda_src.monitor.windows import MIN_PREDICTIONS, WINDOW_DAYS, Figure, window_figures

_FOLDER: Final = Path(__file__).parent
_NOT_PRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_TILES: Final = {
    "prediction_rate": ("Prediction rate", percent),
    "expected_jaccard": ("Expected Jaccard", index),
    "sample_jaccard": ("Jaccard, feedback", index),
    "sample_f1": ("F1, feedback", index),
    "audit_sample_jaccard": ("Jaccard, audit", index),
    "calibration_error": ("Calibration error", index),
}
_FIGURE_NAMES: Final = {
    "top_confidence": "Confidence of the best tag",
    "expected_jaccard": "Expected Jaccard index",
    "known_share": "Share of known words",
    "words": "Number of words",
    "code_share": "Share of words from code",
    "first_tag": "First tag",
    "tags": "Suggested tags",
    "hits": "Suggested tags that were chosen",
    "sample_jaccard": "Jaccard index",
}
_KINDS: Final = (
    *("concept_drift", "model_drift", "new_tag", "label_shift", "data_drift", "slow_drift"),
)
"""The kinds of drift, the most important first."""
_STATUSES: Final = ("drift", "not enough data", "ok")
_N_SHARES: Final = 12


class Tile(NamedTuple):
    """A figure of the last week, beside the week before."""

    title: str
    value: str | None
    """None if there is not enough data."""
    before: str | None
    cases: int
    needed: int


class Card(NamedTuple):
    """Everything that needs attention about one figure, or about new tags."""

    title: str
    findings: Sequence[Finding]
    chart: Chart | None
    """The distribution before and after, where a test has one."""


def render(days: Sequence[Day], findings: Sequence[Finding], today: date) -> str:
    """Render the report.

    Parameters
    ----------
    days : sequence of day files
        In any order. A year of them fills the charts.
    findings : sequence of Finding
        What the drift detectors of the live model version say.
    today : date
        The last day of the report.

    Returns
    -------
    str
        An HTML document. Every text from outside, such as the names of tags, is escaped.
    """
    days = [day for day in days if day["day"] <= str(today)]
    version = live_version(days)
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "index": index, "meter": meter, "number": _number}
    recent = Period.of(days, today, RECENT_DAYS)
    return environment.get_template("page.html").render(
        style=style,
        style_digest=digest,
        today=today,
        summary=summarize(days, findings, today),
        tiles=list(_tiles(days, version, today)),
        quality=quality_charts(days, today),
        cards=_cards(findings),
        others=sorted(
            (each for each in findings if not each.pages),
            key=lambda each: (_STATUSES.index(each.status), each.kind, each.figure),
        ),
        kinds=KINDS,
        figure_name=_figure_name,
        distributions=distributions(days, version, today),
        needed_predictions=MIN_PREDICTIONS,
        worst=worst_tags(days, today),
        new=new_tags(days, today),
        recent_days=RECENT_DAYS,
        quiet=_quiet_reasons(recent.models),
        lines=_lines(days, recent, today),
    )


def _tiles(days: Sequence[Day], version: str | None, today: date) -> Sequence[Tile]:
    now: Mapping[str, Figure] = window_figures(days, version, today) if version else {}
    earlier = today - timedelta(days=WINDOW_DAYS)
    before = window_figures(days, version, earlier) if version else {}
    tiles = []
    for name, (title, write) in _TILES.items():
        figure = now.get(name, Figure(None, 0, 0))
        previous = before.get(name, Figure(None, 0, 0)).value
        tiles.append(
            Tile(
                title,
                None if figure.value is None else write(figure.value),
                None if previous is None else write(previous),
                figure.cases,
                figure.needed,
            )
        )
    return tiles


def _cards(findings: Sequence[Finding]) -> list[Card]:
    """Group what needs attention by figure; a loss of quality comes first."""
    groups: dict[str, list[Finding]] = {}
    for each in sorted(
        (each for each in findings if each.pages),
        key=lambda each: (_KINDS.index(each.kind), -each.evidence, each.figure),
    ):
        title = "New tags" if each.kind == "new_tag" else _figure_name(each)
        groups.setdefault(title, []).append(each)
    return [
        Card(title, group, next((_shares_chart(each) for each in group if each.shares), None))
        for title, group in groups.items()
    ]


def _figure_name(finding: Finding) -> str:
    return _FIGURE_NAMES.get(finding.figure, finding.figure)


def _shares_chart(finding: Finding) -> Chart:
    """Draw the distribution of a finding, the largest changes of long ones."""
    shares = list(finding.shares)
    if len(shares) > _N_SHARES:
        shares = sorted(shares, key=lambda each: -abs(each.after - each.before))[:_N_SHARES]
    title = _figure_name(finding)
    return before_and_after(
        title,
        f"{title}: the shares before and now.",
        [each.label for each in shares],
        [each.before for each in shares],
        [each.after for each in shares],
    )


def _number(value: float | None) -> str:
    """Write a mean, a share or a rate with three digits."""
    return "\N{EN DASH}" if value is None else f"{value:.3g}"


def _quiet_reasons(models: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for figures in models:
        for reason, count in figures["quiet_reasons"].items():
            counts[reason] = counts.get(reason, 0) + count
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _lines(days: Sequence[Day], recent: Period, today: date) -> dict[str, int]:
    """Count what the monitor read in the last days, and what it could not use."""
    first = str(today - timedelta(days=RECENT_DAYS - 1))
    within = [day for day in days if day["day"] >= first]
    cut_short = [each["cut_short"] for each in recent.models if "cut_short" in each]
    return {
        "Predictions": recent.count("predictions"),
        "Predictions cut short by the caller's options, set apart": sum(
            each["predictions"] for each in cut_short
        ),
        "Predictions with feedback": recent.count("feedbacks"),
        "Feedback with final tags": recent.count("judged"),
        "Feedback of identified callers": recent.count("authenticated_feedbacks"),
        "Feedback above a caller's share, left out": recent.count("over_share"),
        "Feedback for an unknown prediction": sum(
            day.get("feedback", {}).get("without_prediction", 0) for day in within
        ),
        "Lines that came twice": sum(day.get("doubles", 0) for day in within),
        "Lines that could not be read": sum(day.get("set_aside", 0) for day in within),
        "Days without any event": RECENT_DAYS - len({day["day"] for day in within}),
    }


def _printable(value: Any) -> Any:
    """Replace the characters of a text that a terminal obeys or that nobody sees."""
    if not isinstance(value, str):
        return value
    # The text may be Markup, which must stay so.
    return type(value)(_NOT_PRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value))
