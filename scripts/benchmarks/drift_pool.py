"""What `scripts/bench drift` measures on one pool of questions: false alarms, delays, power."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.live_counts import LiveCounts
from lambda_src.monitor.drift.observations import FIGURES
from lambda_src.monitor.drift.weekly import ks_p_values
from scripts.benchmarks.drift_simulation import (
    FEEDBACKS_PER_WEEK,
    PER_WEEK,
    Alarms,
    ConceptServices,
    NewTagServices,
    SuddenServices,
    by_week,
    delays,
    draw,
    draw_weighted,
    model_drift_alarms,
    permuted,
    redraw_baselines,
    upper_bound,
    weekly_evidence,
)
from scripts.benchmarks.drift_traffic import Floats, Rows, Traffic

PREDICTIONS_AFTER: Final = 1_000
FEEDBACKS_AFTER: Final = 600
"""So many observations after a change are simulated."""
NEW_TAG: Final = "the-new-tag"
"""No site has a tag of this name."""
NEW_TAG_SHARE: Final = 0.05
N_PERMUTED: Final = 20
_SHIFTED_RANKS: Final = slice(40, 60)
"""A label shift makes these tags more likely: middling ones by their number of uses."""
_SHIFT: Final = 3.0
_SHIFT_WEEKS: Final = 4
_PLAIN_LEVEL: Final = 0.05
WEEKS_IN_YEAR: Final = 52


@dataclass(frozen=True)
class Pool:
    """Services whose questions are drawn from the same pool.

    Parameters
    ----------
    name : str
    release : Baseline
    traffic : Traffic
    n_services, n_weeks : int
        Each service has a live baseline of its own, and then so many quiet weeks.
    random : Generator
    """

    name: str
    release: Baseline
    traffic: Traffic
    n_services: int
    n_weeks: int
    random: np.random.Generator

    @cached_property
    def baselines(self) -> list[Baseline]:
        """The live baselines."""
        return redraw_baselines(self.release, self.traffic, self.n_services, self.random)

    def measure(self, other_sites: Mapping[str, Traffic]) -> dict[str, Any]:
        """Measure everything; after the quiet weeks, services change to each of the other sites."""
        predictions = self._draw(PER_WEEK, self.n_weeks)
        feedbacks = self._draw(FEEDBACKS_PER_WEEK, self.n_weeks)
        sudden, concept = SuddenServices(self.baselines), ConceptServices(self.n_services)
        new_tags = NewTagServices(self.release, self.n_services)
        found = sudden.observe(self.traffic, predictions)
        wrong = concept.observe(self.traffic.e_values(), feedbacks)
        new = new_tags.observe(self.traffic, feedbacks)
        weekly = weekly_evidence(self.baselines, self.traffic, self._weeks(predictions))
        false_alarms = {
            "data_drift": by_week(found, PER_WEEK),
            "slow_drift and label_shift": weekly.alarms,
            "concept_drift": by_week(wrong, FEEDBACKS_PER_WEEK),
            "model_drift": model_drift_alarms(
                self.traffic.jaccards(),
                self._weeks(feedbacks, FEEDBACKS_PER_WEEK),
                self.release.sample_jaccard,
            ),
            "new_tag": by_week(new, FEEDBACKS_PER_WEEK),
        }
        return {
            "questions": len(self.traffic),
            "false_alarms": _rates(false_alarms),
            "simpler": self._simpler(predictions, feedbacks),
            "sudden": {
                site: self._site_change(other, sudden, found[:, -1], concept, wrong[:, -1])
                for site, other in other_sites.items()
            },
            "permuted": self._permuted_tags(concept, wrong[:, -1]),
            "new_tag": self._new_tag(new_tags, new[:, -1]),
            "label_shift": self._label_shift(),
        }

    def year(self) -> dict[str, Any]:
        """Count the alarms of a year without a change in which nothing is ever reset."""
        predictions = self._draw(PER_WEEK, WEEKS_IN_YEAR)
        feedbacks = self._draw(FEEDBACKS_PER_WEEK, WEEKS_IN_YEAR)
        found = SuddenServices(self.baselines).observe(self.traffic, predictions)
        wrong = ConceptServices(self.n_services).observe(self.traffic.e_values(), feedbacks)
        new = NewTagServices(self.release, self.n_services).observe(self.traffic, feedbacks)
        weekly = weekly_evidence(self.baselines, self.traffic, self._weeks(predictions))
        return _rates(
            {
                "data_drift": by_week(found, PER_WEEK),
                "slow_drift and label_shift": weekly.alarms,
                "concept_drift": by_week(wrong, FEEDBACKS_PER_WEEK),
                "new_tag": by_week(new, FEEDBACKS_PER_WEEK),
            }
        )

    def shift(self, later: Traffic) -> float:
        """Give the share of weeks of other questions that the tests of whole weeks notice."""
        drawn = draw(self.random, len(later), self.n_services, _SHIFT_WEEKS, PER_WEEK)
        return float(weekly_evidence(self.baselines, later, drawn).alarms.mean())

    def _draw(self, per_week: int, n_weeks: int) -> Rows:
        return draw(self.random, len(self.traffic), self.n_services, per_week * n_weeks)

    def _weeks(self, drawn: Rows, per_week: int = PER_WEEK) -> Rows:
        return drawn.reshape(self.n_services, -1, per_week)

    def _simpler(self, predictions: Rows, feedbacks: Rows) -> dict[str, int]:
        """Count the quiet weeks in which simpler detectors raise an alarm."""
        plain = SuddenServices(self.baselines, plain=True).observe(self.traffic, predictions)
        exact = ConceptServices(self.n_services).observe(
            self.traffic.e_values(tolerance=1.0), feedbacks
        )
        return {
            "KS, any figure with p < 0.05": int(self._plain_ks(predictions).sum()),
            "sudden data drift, shares without bounds": int(by_week(plain, PER_WEEK).sum()),
            "concept drift without a tolerance": int(by_week(exact, FEEDBACKS_PER_WEEK).sum()),
        }

    def _plain_ks(self, drawn: Rows) -> Alarms:
        """Test as is often done: any figure with a p-value below 0.05 is drift."""
        least = np.ones(self._weeks(drawn).shape[:2])
        for name, values in zip(FIGURES, self.traffic.figures.T, strict=True):
            bins = self.release.figures[name].bins_of(values)
            for service, baseline in enumerate(self.baselines):
                before = baseline.figures[name].counts
                after = np.stack(
                    [
                        np.bincount(bins[rows], minlength=len(before))
                        for rows in self._weeks(drawn)[service]
                    ]
                )
                p_values = ks_p_values(np.broadcast_to(before, after.shape), after)
                least[service] = np.minimum(least[service], p_values)
        return least < _PLAIN_LEVEL

    def _site_change(
        self,
        other: Traffic,
        sudden: SuddenServices,
        sudden_before: Floats,
        concept: ConceptServices,
        concept_before: Floats,
    ) -> dict[str, Any]:
        predictions = draw(self.random, len(other), self.n_services, PREDICTIONS_AFTER)
        feedbacks = draw(self.random, len(other), self.n_services, FEEDBACKS_AFTER)
        found = sudden.copy().observe(other, predictions)
        wrong = concept.copy().observe(other.e_values(), feedbacks)
        return {
            **_summary(delays(found, sudden_before)),
            "concept_alarms": float(np.isfinite(delays(wrong, concept_before)).mean()),
            "mean_jaccard": float(other.jaccards().mean()),
        }

    def _permuted_tags(self, concept: ConceptServices, before: Floats) -> dict[str, Any]:
        uses = Counter(tag for tags in self.traffic.final_tags for tag in tags)
        common = [tag for tag, _ in uses.most_common(N_PERMUTED)]
        touched = np.mean([not set(common).isdisjoint(tags) for tags in self.traffic.final_tags])
        e_values = self.traffic.e_values(permuted(self.traffic.final_tags, common))
        drawn = draw(self.random, len(self.traffic), self.n_services, FEEDBACKS_AFTER)
        found = delays(concept.copy().observe(e_values, drawn), before)
        return {**_summary(found), "touched": float(touched)}

    def _new_tag(self, new_tags: NewTagServices, before: Floats) -> dict[str, Any]:
        drawn = draw(self.random, len(self.traffic), self.n_services, FEEDBACKS_AFTER)
        is_used = self.random.random(drawn.shape) < NEW_TAG_SHARE
        found = new_tags.observe(self.traffic, drawn, is_used, NEW_TAG)
        return _summary(delays(found, before))

    def _label_shift(self) -> dict[str, float]:
        uses = Counter(tag for tags in self.traffic.final_tags for tag in tags)
        shifted = {tag for tag, _ in uses.most_common()[_SHIFTED_RANKS]}
        has_shifted = [not shifted.isdisjoint(tags) for tags in self.traffic.final_tags]
        weights = np.where(has_shifted, _SHIFT, 1.0)
        drawn = draw_weighted(self.random, weights, self.n_services, _SHIFT_WEEKS, PER_WEEK)
        alarms = weekly_evidence(self.baselines, self.traffic, drawn).alarms
        return {"power": float(alarms.mean()), "touched": float(np.mean(has_shifted))}


def _rates(alarms: Mapping[str, Alarms]) -> dict[str, Any]:
    """Count weeks with an alarm, for each kind and for all kinds together."""
    together = np.any(list(alarms.values()), axis=0)
    n_alarms = int(together.sum())
    return {
        **{kind: int(of_kind.sum()) for kind, of_kind in alarms.items()},
        "weeks": together.size,
        "weeks_with_alarm": n_alarms,
        "services": len(together),
        "services_with_alarm": int(together.any(axis=1).sum()),
        "rate": n_alarms / together.size,
        "upper95": upper_bound(n_alarms, together.size),
    }


def _summary(found: Floats) -> dict[str, Any]:
    """Give the median and high percentiles of delays; an infinite one is None."""
    percentiles = np.percentile(found, [50, 90, 99], method="higher").tolist()
    median, p90, p99 = (each if np.isfinite(each) else None for each in percentiles)
    return {
        "median": median,
        "p90": p90,
        "p99": p99,
        "found": float(np.isfinite(found).mean()),
        "delays": [each if np.isfinite(each) else None for each in found.tolist()],
    }


def time_ordered(release: Baseline, traffic: Traffic) -> dict[str, Any]:
    """Feed dated questions once, in the order in which they were asked.

    The older half makes the baseline. What follows is real time, so an alarm may well be right.

    Parameters
    ----------
    release : Baseline
    traffic : Traffic
        In the order of time.
    """
    half = len(traffic) // 2
    live = LiveCounts(release)
    live.add(traffic.predictions[:half])
    baselines = [live.as_baseline()]
    newer = np.arange(half, len(traffic))[None]
    concept = ConceptServices(1)
    concept.observe(traffic.e_values(), np.arange(half)[None])
    found = {
        "data_drift": SuddenServices(baselines).observe(traffic, newer),
        "concept_drift": concept.observe(traffic.e_values(), newer),
        "new_tag": NewTagServices(release, 1).observe(traffic, newer),
    }
    weekly = weekly_evidence(baselines, traffic, newer[None])
    return {
        "questions": len(traffic),
        "newer_from": str(traffic.days[half]),
        **{f"{kind}_evidence": float(evidence.max()) for kind, evidence in found.items()},
        "slow_drift_evidence": float(weekly.figures.max()),
        "label_shift_evidence": float(weekly.tags.max()),
    }
