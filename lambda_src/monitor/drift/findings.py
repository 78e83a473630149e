"""What the watch found, in a form that reports and alarms share."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["data_drift", "slow_drift", "label_shift", "concept_drift", "model_drift", "new_tag"]
"""The questions changed suddenly; a figure changed slowly; the tags became more or less common;
suggested tags are right less often than their confidences say; the Jaccard index is lower than that
of the release; a tag that the model does not know is in use."""
Status = Literal["ok", "drift", "not enough data"]
Compared = Literal["release", "live"]


class Share(NamedTuple):
    """The share of one bin, or of one tag, before and after."""

    label: str
    before: float
    after: float


@dataclass(frozen=True)
class Finding:
    """The result of one test."""

    kind: Kind
    figure: str
    """The name of the figure in the events, ``first_tag``, ``tags``, ``hits``, ``sample_jaccard``,
    or the new tag."""
    compared_with: Compared
    """The baseline: of the release, or of the first live predictions of this release."""
    status: Status
    explanation: str
    """One sentence for people."""
    before: float | None = None
    """The figure in the baseline: a mean, a share or a rate."""
    after: float | None = None
    """The same in recent predictions or feedback."""
    evidence: float = 0.0
    """What the test found, divided by what raises the alarm: at least 1 is drift."""
    since: str | None = None
    """The day on which the alarm was raised, as YYYY-MM-DD. A change came before it."""
    shares: tuple[Share, ...] = ()
    """The distribution before and after, for a chart; empty where the test has none."""

    @property
    def pages(self) -> bool:
        """Whether somebody should look now.

        Questions may differ from the corpus as long as the service runs, so that only their change
        pages. A loss of quality pages in any case.
        """
        about_questions = self.kind in {"data_drift", "slow_drift", "label_shift"}
        is_change = self.compared_with == "live" or not about_questions
        return self.status == "drift" and is_change

    def to_json(self) -> dict[str, Any]:
        """Give the finding as values that JSON has."""
        values = asdict(self)
        shares = [share._asdict() for share in self.shares]
        return {**values, "shares": shares, "pages": self.pages}
