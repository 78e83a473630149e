"""The watch over one model version: what the monitor feeds and asks."""

from collections.abc import Mapping
from typing import Any, Final

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.concept import ConceptWatch
from lambda_src.monitor.drift.findings import Finding, Kind
from lambda_src.monitor.drift.live_counts import LiveCounts
from lambda_src.monitor.drift.model_drift import ModelDriftWatch
from lambda_src.monitor.drift.new_tags import NewTagWatch
from lambda_src.monitor.drift.observations import FIGURES, Feedbacks, Predictions
from lambda_src.monitor.drift.sudden import STREAMS, SuddenWatch
from lambda_src.monitor.drift.weekly import TAGS, WeeklyWatch

VERSION: Final = 1
LIVE_PREDICTIONS: Final = 3_000
"""So many of the first predictions of a release make its live baseline."""
_PARTS: Final = {"last_day", "first", "sudden", "weekly", "concept", "model_drift", "new_tags"}
"""Of a state; see `DriftWatch.state`."""


class DriftStateError(ValueError):
    """A stored state cannot be used."""


class DriftWatch:
    """Looks for drift in the predictions of one model version and in the feedback about them.

    The first predictions are compared with the release's baseline and make the live baseline. Later
    ones are compared with that, because live questions are never quite those of the corpus. The
    weekly tests use both.

    The state after many calls is that after one call with all observations, so that days can be
    replayed. Each observation must be given once: skip the days up to `last_day`.

    Parameters
    ----------
    baseline : Baseline
        From the manifest of the model's bundle.
    state : mapping, optional
        What `state` gave, if some days were already observed.

    Raises
    ------
    DriftStateError
        The state has another version, or a part of it is missing.
    """

    def __init__(self, baseline: Baseline, state: Mapping[str, Any] | None = None) -> None:
        if state is not None and state.get("version") != VERSION:
            raise DriftStateError(
                f"The drift state has version {state.get('version')!r}, but this release reads "
                f"only version {VERSION}. Delete it: the watch starts again with the next day."
            )
        if state is not None and not state.keys() >= _PARTS:
            raise DriftStateError(
                f"The drift state has no {' and no '.join(sorted(_PARTS - state.keys()))}. Delete "
                "it: the watch starts again with the next day."
            )
        state = state or {}
        self._baseline = baseline
        self.last_day: str | None = state.get("last_day")
        """The day of the newest observation, as YYYY-MM-DD."""
        self._first = LiveCounts(baseline, state.get("first"))
        self._sudden = SuddenWatch(baseline, "release")
        self._weekly: WeeklyWatch | None = None
        if self._is_live():
            self._start_live(state.get("sudden"), state.get("weekly"))
        else:
            self._sudden = SuddenWatch(baseline, "release", state.get("sudden"))
        self._concept = ConceptWatch(state.get("concept"))
        self._model_drift = ModelDriftWatch(baseline.sample_jaccard, state.get("model_drift"))
        self._new_tags = NewTagWatch(baseline, state.get("new_tags"))

    def observe(self, predictions: Predictions, feedbacks: Feedbacks) -> None:
        """Take the next predictions and the next feedback, each in the order of time."""
        for observations in (predictions, feedbacks):
            if len(observations):
                newest = str(observations.days[-1])
                self.last_day = max(self.last_day or newest, newest)
        if not self._is_live():
            missing = LIVE_PREDICTIONS - self._first.n_predictions
            first, predictions = predictions[:missing], predictions[missing:]
            self._first.add(first)
            self._sudden.observe(first)
            if self._is_live():
                self._start_live(None, None)
        if self._weekly is not None:
            self._sudden.observe(predictions)
            self._weekly.observe(predictions)
        self._concept.observe(feedbacks)
        self._model_drift.observe(feedbacks)
        self._new_tags.observe(feedbacks)

    def findings(self) -> list[Finding]:
        """Give the result of every test."""
        return [
            *self._sudden.findings(),
            *(self._weekly.findings() if self._weekly else self._too_early()),
            *self._concept.findings(),
            *self._model_drift.findings(),
            *self._new_tags.findings(),
        ]

    def state(self) -> dict[str, Any]:
        """Give everything that the next observations need, as values that JSON has."""
        return {
            "version": VERSION,
            "last_day": self.last_day,
            "first": self._first.state(),
            "sudden": self._sudden.state(),
            "weekly": self._weekly.state() if self._weekly else None,
            "concept": self._concept.state(),
            "model_drift": self._model_drift.state(),
            "new_tags": self._new_tags.state(),
        }

    def _is_live(self) -> bool:
        return self._first.n_predictions >= LIVE_PREDICTIONS

    def _start_live(
        self, sudden: Mapping[str, Any] | None, weekly: Mapping[str, Any] | None
    ) -> None:
        live = self._first.as_baseline()
        self._sudden = SuddenWatch(live, "live", sudden)
        self._weekly = WeeklyWatch(self._baseline, live, weekly)

    def _too_early(self) -> list[Finding]:
        explanation = (
            f"The live baseline has {self._first.n_predictions} of {LIVE_PREDICTIONS} predictions."
        )
        missing: list[tuple[Kind, str]] = [
            *(("data_drift", name) for name in STREAMS),
            *(("slow_drift", name) for name in FIGURES),
            ("label_shift", TAGS),
        ]
        return [
            Finding(kind, name, "live", "not enough data", explanation) for kind, name in missing
        ]
