"""How far each figure may go before somebody is told: one typed object per environment."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of the alarms; the values here are those of `dev`.

    Raises
    ------
    ValueError
        A share (a float) is not between 0 and 1, or another limit is below 1.
    """

    minimum_volume: int = 20
    """Of requests in a period: a share or a percentile of fewer raises no alarm."""

    # Is it useful?
    minimum_prediction_rate: float = 0.7
    """Of predictions with at least one tag; docs/quality.md has it for questions kept back."""
    minimum_confidence: float = 0.4
    """Median confidence of the best tag."""
    maximum_unknown_word_share: float = 0.2
    """Median share of a question's words that the model does not know."""
    feedback_band: int = 3
    """Width of the expected band of feedbacks per prediction, in standard deviations."""
    volume_band: int = 4
    """Width of the expected band of predictions per hour, in standard deviations."""

    # Is it healthy?
    maximum_model_p99_ms: int = 100
    """The model alone takes about 1 ms a question; a question of 64 KiB takes longer."""
    maximum_api_p99_ms: int = 3000
    """What a caller waits for, cold starts included."""
    maximum_duration_share: float = 0.8
    """Of the function's time limit, by the slowest request."""
    maximum_cold_start_share: float = 0.3
    """Of the function's invocations."""
    maximum_client_error_share: float = 0.5
    """Of requests answered 4xx: a client or a route is broken, or somebody is trying doors."""
    maximum_server_errors: int = 1
    """Answers 5xx in five minutes."""
    maximum_function_errors: int = 1
    """Failed invocations in five minutes."""
    maximum_throttles: int = 1
    """Invocations refused for want of concurrency, in five minutes."""
    maximum_concurrency_share: float = 0.8
    """Of the copies that may run at once."""
    heartbeat_minutes: int | None = None
    """How often the function is asked a question of ours; None: silence is no alarm."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0 < value < 1:
                raise ValueError(f"{field.name} is {value}: give a share between 0 and 1")
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{field.name} is {value}: give a number of at least 1")
