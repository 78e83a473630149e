"""From datapoints to an alarm's state: M out of N, and the four ways to treat missing data."""

from collections.abc import Sequence
from enum import StrEnum


class State(StrEnum):
    """What an alarm says."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """What an alarm makes of periods without data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


def judge(
    datapoints: Sequence[bool | None],
    *,
    to_alarm: int,
    periods: int,
    missing: Missing,
    before: State,
) -> State:
    """Judge the datapoints of an evaluation range.

    As many of the newest real datapoints as there are evaluation periods are looked at, from
    further back if need be; where there are fewer, the rest is filled in as `missing` says. With
    `missing` and `ignore`, datapoints that all breach, too few for an alarm, but the oldest of
    them as old as `to_alarm`, are a "premature alarm state": ALARM, or what was before.

    The guide's own tables decide what its prose leaves open: that a real datapoint which does not
    breach keeps an alarm from being premature, and that M (not N) is the age that counts.

    Parameters
    ----------
    datapoints
        Of the whole evaluation range, oldest first: whether each breaches, None if missing.
    to_alarm, periods
        M and N.
    missing
        How missing datapoints are treated.
    before
        The state until now.

    References
    ----------
    "Configuring how CloudWatch alarms treat missing data",
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    real = [each for each in datapoints if each is not None]
    breaching = sum(real[-periods:])
    filled = max(periods - len(real), 0)
    if missing is Missing.BREACHING:
        breaching += filled
    if breaching >= to_alarm:
        return State.ALARM
    if not filled or missing in {Missing.BREACHING, Missing.NOT_BREACHING} or not all(real):
        return State.OK
    if missing is Missing.IGNORE:
        return before
    if not real:
        return State.INSUFFICIENT_DATA
    oldest = len(datapoints) - list(datapoints).index(True)
    return State.ALARM if oldest >= to_alarm else State.OK
