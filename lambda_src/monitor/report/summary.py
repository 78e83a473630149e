"""The state of the model in a line, in a sentence, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from lambda_src.monitor.drift.findings import Finding
from lambda_src.monitor.report.drawing import index, percent
from lambda_src.monitor.report.estimates import Day, Estimate, Period, live_version
from lambda_src.monitor.windows import MIN_PREDICTIONS, WINDOW_DAYS, Figure, window_figures

VERSION: Final = 1
"""Of reports/latest.json."""
OK: Final = "ok"
DRIFT: Final = "drift"
NOT_ENOUGH_DATA: Final = "not enough data"
_NEW_TAG_USES: Final = 3
KINDS: Final = {
    "data_drift": "sudden change of the questions",
    "slow_drift": "slow change of the questions",
    "label_shift": "change of the suggested tags",
    "concept_drift": "tags are right less often than their confidence says",
    "model_drift": "quality below that of the release",
    "new_tag": "new tag",
}
"""The kinds of drift in words."""


def summarize(days: Sequence[Day], findings: Sequence[Finding], today: date) -> dict[str, Any]:
    """Return the content of ``reports/latest.json``.

    Parameters
    ----------
    days : sequence of day files
    findings : sequence of Finding
        Of the model version that answers.
    today : date
        The last day of the report.

    Returns
    -------
    dict
        ``health`` is a line for people, ``state`` is "ok", "drift" or "not enough data", and
        ``figures`` and ``findings`` are the details.
    """
    version = live_version(days)
    figures = window_figures(days, version, today) if version else {}
    return {
        "version": VERSION,
        "day": str(today),
        "model_version": version,
        "state": state(figures, findings),
        "health": health(days, figures, today),
        "change": change(days, findings, today),
        "figures": {name: figure.to_json() for name, figure in figures.items()},
        "findings": [each.to_json() for each in findings],
    }


def state(figures: Mapping[str, Figure], findings: Sequence[Finding]) -> str:
    """Return the state of the whole model. Without data, it is not known to be good."""
    if any(each.pages for each in findings):
        return DRIFT
    known = figures.get("prediction_rate")
    if known is None or known.value is None:
        return NOT_ENOUGH_DATA
    return OK


def health(days: Sequence[Day], figures: Mapping[str, Figure], today: date) -> str:
    """Return the line that the operator sees first: prediction rate and expected quality."""
    day = _last_day(days, today)
    if day is None:
        return f"No predictions on {today:%d %B %Y} or the day before."
    of_day = Period.of(days, day, 1)
    rate = of_day.estimate("prediction_rate")
    shown = percent(rate.value) if rate else "none"
    expected = figures.get("expected_jaccard")
    quality = (
        f"The expected Jaccard index of the last seven days is {index(expected.value)}."
        if expected and expected.value is not None
        else "There is not enough data of the last seven days for the expected Jaccard index."
    )
    n = of_day.count("predictions")
    return f"{day:%d %B %Y}: {shown} of {n} predictions got a tag. {quality}"


def change(days: Sequence[Day], findings: Sequence[Finding], today: date) -> str:
    """Say in a sentence what changed since yesterday, leaving out what may be chance."""
    day = _last_day(days, today)
    if day is None:
        return "Since yesterday, there were no predictions."
    yesterday = str(today - timedelta(days=1))
    changes = [
        *_new_drift(findings, yesterday),
        *_new_models(days, day),
        *_moved_figures(days, day),
        *_new_tags(days, day),
    ]
    week = Period.of(days, day - timedelta(days=1), WINDOW_DAYS)
    if not changes and week.count("predictions") < MIN_PREDICTIONS:
        return "There is not enough data to say what changed since yesterday."
    if not changes:
        return "Since yesterday, nothing changed by more than chance explains."
    if len(changes) > 1:
        changes = [", ".join(changes[:-1]) + ", and " + changes[-1]]
    return f"Since yesterday, {changes[0]}."


def _new_drift(findings: Sequence[Finding], yesterday: str) -> Iterator[str]:
    new = {KINDS[each.kind] for each in findings if each.since and each.since >= yesterday}
    if new:
        yield f"the tests found drift ({'; '.join(sorted(new))})"


def _new_models(days: Sequence[Day], day: date) -> Iterator[str]:
    before = {name for each in days if each["day"] < str(day) for name in each["models"]}
    now = {name for each in days if each["day"] == str(day) for name in each["models"]}
    if before and now - before:
        yield f"the model {' and '.join(sorted(now - before))} began to answer"


def _moved_figures(days: Sequence[Day], day: date) -> Iterator[str]:
    now, week = Period.of(days, day, 1), Period.of(days, day - timedelta(days=1), WINDOW_DAYS)
    for name, title, write in (
        ("prediction_rate", "prediction rate", percent),
        ("sample_jaccard", "Jaccard index of the feedback", index),
    ):
        after, before = now.estimate(name), week.estimate(name)
        if after and before and _differ(after, before):
            verb = "rose" if after.value > before.value else "fell"
            yield (
                f"the {title} {verb} from {write(before.value)} in the week before to "
                f"{write(after.value)}"
            )


def _new_tags(days: Sequence[Day], day: date) -> Iterator[str]:
    known = {
        tag
        for each in days
        if each["day"] < str(day)
        for figures in each["models"].values()
        for tag in figures["unknown_tags"]
    }
    new = sorted(
        tag
        for figures in Period.of(days, day, 1).models
        for tag, uses in figures["unknown_tags"].items()
        if uses >= _NEW_TAG_USES and tag not in known
    )
    if new:
        yield f"people chose tags that nobody had chosen before ({', '.join(new)})"


def _differ(after: Estimate, before: Estimate) -> bool:
    """Return whether two intervals do not overlap, which is less than a 1 % chance."""
    return after.low > before.high or after.high < before.low


def _last_day(days: Sequence[Day], today: date) -> date | None:
    """Return today or yesterday, whichever is the last with predictions."""
    for day in (today, today - timedelta(days=1)):
        if Period.of(days, day, 1).count("predictions"):
            return day
    return None
