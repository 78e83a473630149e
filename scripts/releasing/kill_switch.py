"""The kill switch: stop the function without a deployment, and start it again."""

from scripts.releasing.account import Account
from scripts.releasing.deployed_settings import Settings
from scripts.releasing.function import Function
from scripts.releasing.question import agree
from scripts.shared.terminal import say

_SETTING = "reserved_concurrency"


def stop(function: Function, *, yes: bool) -> None:
    """Let the function run no copies at all: callers get 503 within seconds.

    Parameters
    ----------
    function
        The function to stop.
    yes
        Do not ask.

    Raises
    ------
    ReleaseError
        If the user does not agree.

    References
    ----------
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    _ask(function, "Stop the service: it answers nobody any more", yes=yes)
    function.client.put_function_concurrency(
        FunctionName=function.arn, ReservedConcurrentExecutions=0
    )
    say("The service is stopped. Start it again with scripts/kill_switch start")


def start(function: Function, *, yes: bool) -> None:
    """Give the function the reserved concurrency of its settings back, or none.

    Parameters
    ----------
    function
        The function to start.
    yes
        Do not ask.

    Raises
    ------
    ReleaseError
        If the user does not agree.
    """
    live = Settings.of(function.target.outputs() or {})
    reserved = live.values.get(_SETTING) if live else None
    if reserved == "0":
        say(f"The settings keep the service off: deploy with -c {_SETTING}=default afterwards.")
        reserved = None
    _ask(function, "Start the service", yes=yes)
    if reserved is None:
        function.client.delete_function_concurrency(FunctionName=function.arn)
    else:
        function.client.put_function_concurrency(
            FunctionName=function.arn, ReservedConcurrentExecutions=int(reserved)
        )
    say("The service accepts requests again.")


def _ask(function: Function, what: str, *, yes: bool) -> None:
    say(f"{what}: {Account.expected(function.target)}, stack {function.target.stack}")
    agree("Do this?", yes=yes, otherwise="Nothing was changed.")
