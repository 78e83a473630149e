"""Collect a site's questions from its API, from where the last run stopped."""

import json
import math
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from tqdm import tqdm

from model_build.collect.errors import CollectError
from model_build.collect.months import MonthFiles
from model_build.collect.records import CollectedQuestion
from model_build.collect.stack_exchange import PAGE_SIZE, Quota, StackExchange
from model_build.collect.windows import Range, joined, missing, walk
from model_build.corpus import Rejects
from model_build.values import BadQuestionError

FIRST_QUESTION: Final = datetime(2008, 7, 31)
"""No question of any site is older."""
_STATE: Final = "collected.json"
_COMMIT_QUESTIONS: Final = 1_000
"""A kill loses at most so many questions; the next run asks for them again."""
_NEW_PER_PAGE: Final = PAGE_SIZE - 2
"""How many questions of a page are new on average: the windows overlap."""


class Plan(NamedTuple):
    """What is still to be collected."""

    ranges: list[Range]
    questions: int
    requests: int
    quota: Quota


class Progress:
    """Which ranges of time a folder holds completely; kept in ``collected.json``.

    Parameters
    ----------
    months : MonthFiles

    Raises
    ------
    CollectError
        The file is damaged.
    """

    def __init__(self, months: MonthFiles) -> None:
        self._path = months.folder / _STATE
        self._counts: dict[str, int] = {}
        self.done: list[Range] = []
        if self._path.exists():
            try:
                state = json.loads(self._path.read_text(encoding="utf-8"))
                self._counts = {str(name): int(count) for name, count in state["months"].items()}
                self.done = [Range(int(since), int(until)) for since, until in state["ranges"]]
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise CollectError(
                    f"{self._path}: cannot read the progress of this folder. Remove the file: the "
                    "next run then asks for all questions again and loses none."
                ) from error
        for name, count in self._counts.items():
            if months.n_rows(name) < count:  # somebody removed the file: it is collected again
                self.done = [
                    part for each in self.done for part in missing(each, [_range_of(name)])
                ]

    def record(self, done: Range, counts: dict[str, int]) -> None:
        """Keep that a range is complete, after its questions are on disk.

        Raises
        ------
        CollectError
            The file cannot be written.
        """
        self.done = joined([*self.done, done])
        self._counts |= counts
        state = {"ranges": self.done, "months": dict(sorted(self._counts.items()))}
        unfinished = self._path.with_name(f".{_STATE}.unfinished")
        try:
            unfinished.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except OSError as error:
            raise CollectError(
                f"{self._path}: cannot write the progress: {error.strerror}. Check the space on "
                "the disk, and run the same command again."
            ) from error


def plan(client: StackExchange, wanted: Range, progress: Progress) -> Plan:
    """Ask the API how much there is to collect, and how much of it the quota allows."""
    ranges = missing(wanted, progress.done)
    questions = sum(client.count(*each) for each in ranges)
    requests = questions // _NEW_PER_PAGE + len(ranges)
    return Plan(ranges, questions, requests, client.quota())


def describe(plan: Plan, client: StackExchange, wanted: Range) -> str:
    """Say in a few sentences what a run will do."""
    period = f"{_day(wanted.since)} to {_day(wanted.until)}"
    if not plan.ranges:
        return f"{client.site}: all questions from {period} are collected already."
    remaining = plan.quota.remaining
    text = (
        f"{client.site}: {plan.questions:,} questions to collect from {period}, with about "
        f"{plan.requests:,} requests. The quota allows {remaining:,} more today"
    )
    if plan.requests <= remaining:
        return f"{text}: enough for all."
    days = math.ceil((plan.requests - remaining) / plan.quota.maximum)
    return (
        f"{text}: enough for about {remaining * _NEW_PER_PAGE:,} questions. For the rest, run the "
        f"same command on {days:,} more day{'s' if days > 1 else ''}, or read the site's dump."
    )


def collect(
    client: StackExchange, plan: Plan, months: MonthFiles, progress: Progress, rejects: Rejects
) -> int:
    """Collect the questions of a plan. What was received is kept, also if the collection fails.

    Returns
    -------
    int
        How many questions were received.

    Raises
    ------
    CollectError
        The API or the disk does not allow to go on.
    """
    n_received = 0
    with tqdm(
        total=plan.questions, desc=client.site, unit="question", leave=False, disable=None
    ) as bar:
        for wanted in plan.ranges:
            saved = walked = wanted.since
            n_waiting = 0
            try:
                for step in walk(client, wanted):
                    for item in step.items:
                        _add(client.row(item), months, rejects, n_received)
                        n_received += 1
                    walked = step.walked
                    n_waiting += len(step.items)
                    bar.update(len(step.items))
                    if n_waiting >= _COMMIT_QUESTIONS:
                        progress.record(Range(saved, walked), months.commit())
                        saved, n_waiting = walked, 0
            finally:
                if walked > saved:
                    progress.record(Range(saved, walked), months.commit())
    return n_received


def default_end() -> int:
    """Return the start of today in UTC, in seconds since 1970: newer tags still change."""
    now = int(time.time())
    return now - now % 86_400


def _add(row: dict[str, Any], months: MonthFiles, rejects: Rejects, number: int) -> None:
    try:
        months.add(CollectedQuestion.from_row(row))
    except BadQuestionError as error:
        rejects.add(Path(str(row["site"])), number, str(error), row)


def _range_of(name: str) -> Range:
    year, month = map(int, name.split("-"))
    following = (year + month // 12, month % 12 + 1)
    return Range(_second(datetime(year, month, 1)), _second(datetime(*following, 1)))


def _second(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")
