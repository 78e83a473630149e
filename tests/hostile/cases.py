"""How many cases of each kind of input a run takes, and the count of those that it took."""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings

FACTOR_VARIABLE: Final = "HOSTILE_INPUT_FACTOR"
"""Environment variable: how many times as many cases as in a run of all tests."""
FIGURES_VARIABLE: Final = "HOSTILE_INPUT_FIGURES"
"""Environment variable: the file for the number of cases of each kind, as JSON."""
CASES: Final[Counter[str]] = Counter()
"""The cases that were taken, by kind."""
_FACTOR: Final = int(os.environ.get(FACTOR_VARIABLE, "1"))


def cases(n_cases: int) -> Callable[[Any], Any]:
    """Give the settings of a test with some cases, or a multiple of them in the full run.

    A run of all tests takes the same cases each time. The full run takes others each time.
    """
    return settings(
        max_examples=n_cases * _FACTOR,
        deadline=None,
        database=None,
        derandomize=_FACTOR == 1,
        # The explanation of a failure would run each case several times under a tracer.
        phases=[phase for phase in Phase if phase is not Phase.explain],
        suppress_health_check=list(HealthCheck),
    )
