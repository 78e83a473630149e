"""The guide's tables of alarms with missing data, row by row.

"Configuring how CloudWatch alarms treat missing data",
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import pytest

from tests.support.cloudwatch.states import Missing, State, judge

OK, ALARM, NO_DATA = State.OK, State.ALARM, State.INSUFFICIENT_DATA
RETAINED = None


def row(pattern: str, to_alarm: int, missing: Missing, before: State) -> State:
    datapoints = [{"0": False, "X": True, "-": None}[sign] for sign in pattern.split()]
    return judge(datapoints, to_alarm=to_alarm, periods=3, missing=missing, before=before)


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize(
    ("to_alarm", "pattern", "expected"),
    [
        (3, "0 - X - X", (OK, OK, OK, OK)),
        (3, "0 - - - -", (OK, OK, OK, OK)),
        (3, "- - - - -", (NO_DATA, RETAINED, ALARM, OK)),
        (3, "0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        (3, "- - X - -", (ALARM, RETAINED, ALARM, OK)),
        (2, "0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 - X - -", (OK, OK, ALARM, OK)),
        (2, "- - - - 0", (OK, OK, ALARM, OK)),
        (2, "- - - X -", (ALARM, RETAINED, ALARM, OK)),
    ],
)
def test_the_tables_of_the_guide(
    to_alarm: int, pattern: str, expected: tuple[State | None, ...], before: State
) -> None:
    """Columns: missing, ignore, breaching, notBreaching."""
    found = tuple(row(pattern, to_alarm, missing, before) for missing in Missing)
    assert found == tuple(before if state is RETAINED else state for state in expected)


@pytest.mark.parametrize(
    ("pattern", "state"), [("- - - - X", OK), ("- - - X -", OK), ("- - X - -", ALARM)]
)
def test_the_first_breaching_datapoint_after_silence_is_given_time(
    pattern: str, state: State
) -> None:
    """ "Avoiding premature transitions to alarm state", on the same page."""
    assert row(pattern, 3, Missing.MISSING, OK) is state


@pytest.mark.parametrize("missing", list(Missing))
def test_enough_real_datapoints_make_the_treatment_of_missing_ones_irrelevant(
    missing: Missing,
) -> None:
    """ "the value you set for how to treat missing data is not needed and is ignored"."""
    assert row("X 0 - 0 X", 2, missing, OK) is OK
    assert row("0 X - 0 X", 2, missing, OK) is ALARM


def test_datapoints_older_than_the_periods_do_not_count_where_nothing_is_missing() -> None:
    """ "The extra data points from farther back ... are not needed and are ignored"."""
    assert row("X X X 0 0", 2, Missing.BREACHING, OK) is OK
