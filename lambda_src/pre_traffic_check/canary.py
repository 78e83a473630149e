"""The questions during the canary: the alias sends a tenth of them to the new version.

Without them, a service with little traffic could release a version that no request has reached.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .check import QUESTIONS, AskError, ask

_SECONDS_BETWEEN_QUESTIONS: Final = 0.5
"""Two questions a second: with a tenth of the requests, the new version gets about twelve a minute,
which is more than the release's alarms need to compute a share."""
_SECONDS_UNTIL_THE_SHIFT: Final = 180
"""CodeDeploy shifts the traffic within seconds after the pre-traffic check has succeeded."""


@dataclass
class Tally:
    """What was asked during the canary.

    Attributes
    ----------
    asked
        How many questions were sent through the alias.
    answered
        How many of them the new version answered with status 200.
    failures
        What went wrong with the others that reached the new version.
    """

    asked: int = 0
    answered: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        reached = self.answered + len(self.failures)
        text = (
            f"{self.asked} questions through the alias; {reached} reached the new version, which "
            f"answered {self.answered}"
        )
        return f"{text}. The first failure: {self.failures[0]}" if self.failures else text


def ask_during_shift(
    functions: Any,
    version_arn: str,
    alias: str,
    *,
    seconds_left: Callable[[], float],
) -> Tally:
    """Ask drafts through the alias from the beginning of the shift until its end.

    Lambda's answer to an invocation of an alias names the version that was executed ("Invoke",
    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).

    Parameters
    ----------
    functions
        A boto3 client for Lambda.
    version_arn
        The qualified ARN of the new version.
    alias
        The name of the alias.
    seconds_left
        Returns the seconds until the function's own time limit.
    """
    function, _, version = version_arn.rpartition(":")
    tally = Tally()
    began = False
    give_up = time.monotonic() + _SECONDS_UNTIL_THE_SHIFT
    for question in itertools.cycle(QUESTIONS):
        if seconds_left() < 30:
            break
        shifting = _is_shifting(functions, function, alias, version)
        if began and not shifting:
            break
        if not shifting:
            if time.monotonic() > give_up:
                break
            time.sleep(2)
            continue
        began = True
        tally.asked += 1
        try:
            answer = ask(functions, f"{function}:{alias}", "/predict", {**question, "draft": True})
        except AskError as error:
            if error.version == version:
                tally.failures.append(str(error))
        else:
            if answer.version == version and answer.status == 200:
                tally.answered += 1
            elif answer.version == version:
                tally.failures.append(f"it answered with status {answer.status}")
        time.sleep(_SECONDS_BETWEEN_QUESTIONS)
    return tally


def _is_shifting(functions: Any, function: str, alias: str, version: str) -> bool:
    configuration = functions.get_alias(FunctionName=function, Name=alias)
    weights = (configuration.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return bool(weights) and version in {configuration["FunctionVersion"], *weights}
