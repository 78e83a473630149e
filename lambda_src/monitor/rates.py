"""The counts and rates of a model version: what each is, as SQL over predictions with feedback.

Sums are exact decimals, so that they do not depend on the order in which DuckDB's threads add: the
same events give the same bytes.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_RIGHT: Final = "len(list_intersect(tags, final_tags))"
_EITHER: Final = f"(len(tags) + len(final_tags) - {_RIGHT})"
_JUDGED: Final = "final_tags IS NOT NULL"

# The sums of a rate are decimals with six digits after the point. A rate of which there is no case
# has the denominator 0.
_JACCARD: Final = f"round({_RIGHT} / {_EITHER}, 6)::DECIMAL(18, 6)"
_F1: Final = f"round(2 * {_RIGHT} / (len(tags) + len(final_tags)), 6)::DECIMAL(18, 6)"
# An answer without tags is right about no tag, whatever was withheld.
_EXPECTED: Final = (
    "CASE WHEN len(tags) = 0 THEN 0 ELSE round(expected_jaccard, 6) END::DECIMAL(18, 6)"
)
_QUALITY: Final[Mapping[str, tuple[str, str]]] = {
    "sample_jaccard": (f"sum({_JACCARD})", "count(*)"),
    "sample_f1": (f"sum({_F1})", "count(*)"),
    "micro_jaccard": (f"sum({_RIGHT})", f"sum({_EITHER})"),
    "micro_f1": (f"sum(2 * {_RIGHT})", "sum(len(tags) + len(final_tags))"),
    "precision_at_1": (
        "count(*) FILTER (list_contains(final_tags, tags[1]))",
        "count(*) FILTER (len(tags) > 0)",
    ),
    "expected_jaccard_of_judged": (f"sum({_EXPECTED})", "count(*)"),
    "hits_of_expected": (
        f"sum({_RIGHT})",
        "sum(round(list_sum(confidences), 6)::DECIMAL(18, 6))",
    ),
}
"""The numerators and denominators of what needs final tags. `hits_of_expected` is the number of
suggested tags that were chosen, divided by the sum of their confidences."""
_USAGE: Final[Mapping[str, tuple[str, str]]] = {
    "prediction_rate": ("count(*) FILTER (len(tags) > 0)", "count(*)"),
    "expected_jaccard": (f"sum({_EXPECTED})", "count(*)"),
    "feedback_rate": ("count(*) FILTER (has_feedback)", "count(*)"),
    "acceptance_rate": (
        "sum(len(list_intersect(tags, accepted))) FILTER (accepted IS NOT NULL)",
        "sum(len(tags)) FILTER (accepted IS NOT NULL)",
    ),
    "unknown_tag_share": (
        f"sum(len(list_intersect(final_tags, unknown_tags))) FILTER ({_JUDGED})",
        f"sum(len(final_tags)) FILTER ({_JUDGED})",
    ),
}
"""The numerators and denominators of what needs no final tags, or only those of some."""
RATES: Final = (*_USAGE, *_QUALITY)
"""The names of all rates of a model version in a day file."""
_COUNTS: Final[Mapping[str, str]] = {
    "predictions": "count(*)",
    "from_batches": "count(*) FILTER (source = 'batch')",
    "feedbacks": "count(*) FILTER (has_feedback)",
    "judged": f"count(*) FILTER ({_JUDGED})",
    "authenticated_feedbacks": "count(*) FILTER (authenticated)",
    "over_share": "count(*) FILTER (over_share)",
}
"""The counts of a model version in a day file. A judged prediction has feedback with final tags
that counts; `over_share` counts the feedbacks that do not (`limit_shares`)."""


class Rate(NamedTuple):
    """A figure as a fraction, so that days can be added up."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The fraction, or None if there was no case."""
        return round(self.numerator / self.denominator, 6) if self.denominator else None

    def to_json(self) -> dict[str, float | None]:
        """Return the rate as a day file has it."""
        return {"value": self.value, **self._asdict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Rate":
        """Read what `to_json` wrote."""
        return cls(value["numerator"], value["denominator"])


def columns_of_predictions() -> list[str]:
    """Return the columns of a query about predictions, some of which have feedback."""
    judged = {name: tuple(_where_judged(each) for each in pair) for name, pair in _QUALITY.items()}
    counts = [f"{sql} AS {name}" for name, sql in _COUNTS.items()]
    return [*counts, *_select(_USAGE), *_select(judged)]


def columns_of_audit() -> list[str]:
    """Return the columns of a query about an audit, whose questions all have final tags."""
    usage = {name: _USAGE[name] for name in ("prediction_rate", "expected_jaccard")}
    return ["count(*) AS questions", *_select({**_QUALITY, **usage})]


def no_figures() -> dict[str, Any]:
    """Return the figures of a version without predictions."""
    return {**{name: Rate(0, 0).to_json() for name in RATES}, **dict.fromkeys(_COUNTS, 0)}


def _select(rates: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"coalesce({sql}, 0) AS {name}_{part}"
        for name, pair in rates.items()
        for part, sql in zip(("numerator", "denominator"), pair, strict=True)
    ]


def _where_judged(aggregate: str) -> str:
    """Restrict an aggregate to predictions with final tags."""
    if "FILTER (" in aggregate:
        return aggregate.replace("FILTER (", f"FILTER ({_JUDGED} AND ")
    return f"{aggregate} FILTER ({_JUDGED})"


def figures_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row of such a query into the figures of a day file."""
    figures: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("_numerator"):
            rate = name.removesuffix("_numerator")
            figures[rate] = Rate(_number(value), _number(row[f"{rate}_denominator"])).to_json()
        elif not name.endswith("_denominator"):
            figures[name] = _number(value)
    return figures


def _number(value: Any) -> float:
    """Return a count as an integer and an exact decimal as a float."""
    return int(value) if value == int(value) else float(value)
