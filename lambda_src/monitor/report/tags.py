"""Which tags the model gets wrong, and which it does not know."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from lambda_src.monitor.report.estimates import Day, Period
from lambda_src.monitor.report.quality import RECENT_DAYS

_N_TAGS: Final = 15
_MIN_USES: Final = 5
"""A tag with fewer uses in feedback is wrong by chance."""


class TagQuality(NamedTuple):
    """How often a tag was suggested and chosen."""

    tag: str
    suggested: int
    chosen: int
    both: int

    @property
    def wrong(self) -> int:
        """How often it was suggested or chosen, but not both."""
        return self.suggested + self.chosen - 2 * self.both

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.both / (self.suggested + self.chosen)


class NewTag(NamedTuple):
    """A tag that people chose and the model does not know."""

    tag: str
    recent: int
    """Uses in the last `RECENT_DAYS` days."""
    before: int
    """Uses in as many days before."""
    first_day: str


def worst_tags(days: Sequence[Day], today: date) -> list[TagQuality]:
    """Return the tags with the most wrong answers in the last days, the worst first."""
    suggested: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for figures in Period.of(days, today, RECENT_DAYS).models:
        for tag, counts in figures["tags"].items():
            suggested[tag] += counts["suggested"]
            chosen[tag] += counts["chosen"]
            both[tag] += counts["both"]
    tags = [
        TagQuality(tag, suggested[tag], chosen[tag], both[tag])
        for tag in suggested
        if suggested[tag] + chosen[tag] >= _MIN_USES
    ]
    return sorted(tags, key=lambda each: (-each.wrong, each.tag))[:_N_TAGS]


def new_tags(days: Sequence[Day], today: date) -> list[NewTag]:
    """Return the unknown tags with the most uses in the last days."""
    recent, before = (
        _unknown(days, last_day) for last_day in (today, today - timedelta(days=RECENT_DAYS))
    )
    first: dict[str, str] = {}
    for day in sorted(days, key=lambda each: str(each["day"])):
        for figures in day["models"].values():
            for tag in figures["unknown_tags"]:
                first.setdefault(tag, day["day"])
    order = sorted(recent, key=lambda tag: (-recent[tag], tag))[:_N_TAGS]
    return [NewTag(tag, recent[tag], before[tag], first[tag]) for tag in order]


def _unknown(days: Sequence[Day], last_day: date) -> Counter[str]:
    counts: Counter[str] = Counter()
    for figures in Period.of(days, last_day, RECENT_DAYS).models:
        counts.update(figures["unknown_tags"])
    return counts
