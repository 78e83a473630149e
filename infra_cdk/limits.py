"""The limits of the alarms that differ between environments."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits that an environment may choose; the defaults are those of `dev`.

    A limit that is the same everywhere is a number in the alarm's declaration, in
    infra_cdk/observability.

    Raises
    ------
    ValueError
        If a share (a float) is not between 0 and 1, or another limit is below 1.
    """

    minimum_volume: int = 20
    """Requests in a period. With fewer, no share and no percentile raises an alarm."""
    minimum_prediction_rate: float = 0.7
    """The share of predictions with at least one tag. docs/quality.md states it for the held-out
    questions."""
    minimum_confidence: float = 0.4
    """The median confidence of the best tag."""
    maximum_server_errors: int = 1
    """How many 5xx answers in five minutes raise the alarm."""
    feedback_hours: int | None = None
    """After how many hours with predictions, but without any feedback, an alarm is raised. With
    None, no alarm is raised, because no client sends feedback."""
    heartbeat_minutes: int | None = None
    """How often a schedule asks the API function a question. With None, there is no schedule, and
    silence raises no alarm."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0 < value < 1:
                raise ValueError(
                    f"limits: {field.name} is {value}, but it must be a share between 0 and 1"
                )
            if isinstance(value, int) and value < 1:
                raise ValueError(f"limits: {field.name} is {value}, but it must be at least 1")
