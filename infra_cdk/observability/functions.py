"""The alarms that every function has: errors, throttles and invocations near the time limit."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra_cdk.function import FolderFunction
from infra_cdk.observability.watch import Fixed, Watch

_FIVE: Final = Duration.minutes(5)
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_ABOVE: Final = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_STATS: Final = cloudwatch.Stats
_SHARE_OF_TIMEOUT: Final = 0.8


class _Words(NamedTuple):
    """What the entries of the runbook say about one kind of function."""

    throttled: str
    stopped: str
    errors: Sequence[str] = ()
    throttles: Sequence[str] = ()
    time_limit: Sequence[str] = ()


_ANSWERS_CALLERS: Final = _Words(
    throttled="Callers of the API get a 5xx answer.",
    stopped="its caller gets an error",
    errors=[
        "`cannot start`: the same line says why. If the model is missing or has another digest "
        "than the release expects, run `scripts/rollback --environment prod`, then release again."
    ],
    throttles=[
        "Reserved concurrency 0: somebody used the kill switch. Heartbeat has the command that "
        "shows it."
    ],
    time_limit=[
        "Find out what took so long. The longest valid request is a batch of 100 long questions: "
        "look for five digits in the `functionLatencyMs` of the access log.",
        "`timeout_seconds` must stay below API Gateway's limit of 30 seconds.",
    ],
)
_WORKS_ALONE: Final = _Words(
    throttled="Lambda repeats the invocation for up to six hours.",
    stopped="its work is not done",
)


def watches(function: FolderFunction) -> list[Watch]:
    """Declare the alarms of one function.

    Parameters
    ----------
    function
        The function; its title begins the names of the alarms.
    """
    words = _ANSWERS_CALLERS if function.is_published else _WORKS_ALONE
    log = f'log "$(output {function.log_group_output})"'
    return [
        Watch(
            name=f"{function.title} errors",
            metric=function.metric("Errors", _STATS.SUM, _FIVE),
            beside=[function.metric("Invocations", _STATS.SUM, _FIVE)],
            limit=Fixed(_AT_LEAST, 1),
            to_alarm=1,
            periods=1,
            meaning="The function raised an exception, ran out of time or did not start.",
            first_command=f"""{log} '?"cannot start" ?"Task timed out" ?"Traceback"'""",
            advice=[
                *words.errors,
                f"`Task timed out`: see {function.title} time limit.",
                "A traceback: fix the exception that it names. If it comes from Lambda's runtime, "
                "the function got an event of an unknown kind: find out who invokes it.",
            ],
        ),
        Watch(
            name=f"{function.title} throttles",
            metric=function.metric("Throttles", _STATS.SUM, _FIVE),
            limit=Fixed(_AT_LEAST, 1),
            to_alarm=1,
            periods=1,
            meaning="Lambda refused to run the function because too many copies were running. "
            + words.throttled,
            first_command="aws lambda get-account-settings "
            "--query AccountLimit.ConcurrentExecutions",
            advice=[
                *words.throttles,
                "This function, or others, used all of the account's concurrency. See "
                "Concurrency for how to get more.",
            ],
        ),
        Watch(
            name=f"{function.title} time limit",
            metric=function.metric("Duration", _STATS.MAXIMUM, _FIVE),
            beside=[function.metric("Duration", _STATS.p(each), _FIVE) for each in (50, 95, 99)],
            limit=Fixed(_ABOVE, round(function.timeout.to_milliseconds() * _SHARE_OF_TIMEOUT)),
            to_alarm=1,
            periods=1,
            meaning="An invocation took most of the function's time limit. Lambda stops the next "
            f"one that takes a little longer, and {words.stopped}.",
            first_command=f"{log} REPORT   # the duration of each invocation",
            advice=[
                *words.time_limit,
                "Raise the function's memory first: it comes with more processor time.",
            ],
        ),
    ]
