"""Many services at once: each one with a baseline of its own, fed with redrawn traffic.

All services take a step at the same time, so that numpy works on all of them. The detectors are
those of the monitor. Predictions are drawn with replacement, for a baseline and for its weeks from
the same questions: a pool that is drawn without replacement for one and repeated for the other
would not be the same population.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.concept import MIN_FEEDBACKS_PER_WEEK, N_BETS
from lambda_src.monitor.drift.evidence import FALSE_ALARMS_PER_WEEK, add_evidence
from lambda_src.monitor.drift.live_counts import LiveCounts
from lambda_src.monitor.drift.model_drift import LEVEL, p_value
from lambda_src.monitor.drift.new_tags import NewTags
from lambda_src.monitor.drift.observations import FIGURES
from lambda_src.monitor.drift.sudden import (
    MIN_PREDICTIONS_PER_WEEK,
    STREAMS,
    Reference,
    SuddenDetector,
)
from lambda_src.monitor.drift.watch import LIVE_PREDICTIONS
from lambda_src.monitor.drift.weekly import (
    FIGURES_LEVEL,
    TAGS_LEVEL,
    ks_p_values,
    tags_p_values,
)
from scripts.benchmarks.drift_traffic import Floats, Rows, Traffic

PER_WEEK: Final = MIN_PREDICTIONS_PER_WEEK
FEEDBACKS_PER_WEEK: Final = MIN_FEEDBACKS_PER_WEEK
_SUDDEN_LIMIT: Final = PER_WEEK / FALSE_ALARMS_PER_WEEK
_FEEDBACK_LIMIT: Final = FEEDBACKS_PER_WEEK / FALSE_ALARMS_PER_WEEK

Alarms = npt.NDArray[np.bool_]
"""Shape (n_services, n_weeks)."""


def draw(random: np.random.Generator, n_questions: int, *shape: int) -> Rows:
    """Draw rows with replacement."""
    return random.integers(n_questions, size=shape)


def draw_weighted(random: np.random.Generator, weights: Floats, *shape: int) -> Rows:
    """Draw rows with replacement, in proportion to their weights."""
    return random.choice(len(weights), size=shape, p=weights / weights.sum())


def upper_bound(n_alarms: int, n_weeks: int) -> float:
    """Give the upper 95 % bound of a rate, after Clopper and Pearson."""
    return float(betaincinv(n_alarms + 1, n_weeks - n_alarms, 0.95)) if n_alarms < n_weeks else 1.0


def redraw_baselines(
    release: Baseline, pool: Traffic, n: int, random: np.random.Generator
) -> list[Baseline]:
    """Draw the live baselines of `n` services."""
    baselines = []
    for rows in draw(random, len(pool), n, LIVE_PREDICTIONS):
        counts = LiveCounts(release)
        counts.add(pool.part(rows).predictions)
        baselines.append(counts.as_baseline())
    return baselines


class SuddenServices:
    """The sudden-drift detectors of many services.

    Parameters
    ----------
    baselines : sequence of Baseline
    plain : bool
        True to take the shares of the baseline themselves in place of their upper bounds, which
        the monitor never does.
    """

    def __init__(self, baselines: Sequence[Baseline], *, plain: bool = False) -> None:
        self._references = [Reference(baseline) for baseline in baselines]
        starts = np.cumsum([0, *(len(each.shares) for each in self._references)])[:-1]
        self._starts = starts
        self._services = np.arange(len(baselines))
        shares = np.concatenate([each.shares for each in self._references])
        bounds = np.concatenate([each.bounds for each in self._references])
        if plain:
            # Without a bound, nothing may be said about a bin that the baseline does not have.
            bounds = np.where(shares > 0, shares, bounds)
        self._detector = SuddenDetector(shares, bounds, len(STREAMS) * len(baselines))

    def copy(self) -> "SuddenServices":
        """Give services in the same state."""
        return deepcopy(self)

    def observe(self, traffic: Traffic, drawn: Rows) -> Floats:
        """Feed one prediction after the other to each service.

        Parameters
        ----------
        traffic : Traffic
        drawn : ndarray of int, shape (n_services, n_predictions)
            Rows of the traffic.

        Returns
        -------
        ndarray of float, shape (n_services, n_predictions)
            The evidence after each prediction, divided by the limit.
        """
        bins = np.stack(
            [
                reference.bins(traffic.predictions) + start
                for reference, start in zip(self._references, self._starts, strict=True)
            ]
        )
        shape = (*self._detector.evidence.shape[:2], len(self._services), len(STREAMS))
        evidence = np.empty(drawn.shape)
        for step in range(drawn.shape[1]):
            self._detector.observe(bins[self._services, drawn[:, step]].ravel(), _SUDDEN_LIMIT)
            evidence[:, step] = self._detector.evidence.reshape(shape).mean(axis=(0, 1, 3))
        return evidence / _SUDDEN_LIMIT


class ConceptServices:
    """The concept-drift detectors of `n` services."""

    def __init__(self, n: int) -> None:
        self._evidence = np.zeros((n, N_BETS))

    def copy(self) -> "ConceptServices":
        """Give services in the same state."""
        return deepcopy(self)

    def observe(self, e_values: Floats, drawn: Rows) -> Floats:
        """Feed one feedback after the other to each service; see `SuddenServices.observe`.

        Parameters
        ----------
        e_values : ndarray of float, shape (n_questions, N_BETS)
        drawn : ndarray of int, shape (n_services, n_feedbacks)
        """
        evidence = np.empty(drawn.shape)
        for step in range(drawn.shape[1]):
            add_evidence(self._evidence, e_values[drawn[:, step]], _FEEDBACK_LIMIT)
            evidence[:, step] = self._evidence.mean(axis=1)
        return evidence / _FEEDBACK_LIMIT


class NewTagServices:
    """The detectors of new tags of `n` services."""

    def __init__(self, release: Baseline, n: int) -> None:
        self._detectors = [NewTags(release) for _ in range(n)]

    def observe(
        self, traffic: Traffic, drawn: Rows, is_used: Alarms | None = None, new_tag: str = ""
    ) -> Floats:
        """Feed one feedback after the other to each service; see `SuddenServices.observe`.

        Parameters
        ----------
        traffic : Traffic
        drawn : ndarray of int, shape (n_services, n_feedbacks)
        is_used : ndarray of bool, shape (n_services, n_feedbacks), optional
            Which feedbacks also have the new tag. Then only its evidence is given.
        new_tag : str
        """
        evidence = np.empty(drawn.shape)
        for service, (detector, rows) in enumerate(zip(self._detectors, drawn, strict=True)):
            for step, row in enumerate(rows.tolist()):
                unknown = traffic.unknown_tags[row]
                if is_used is not None and is_used[service, step]:
                    unknown = [*unknown, new_tag]
                detector.observe(unknown, _FEEDBACK_LIMIT)
                sums = detector.evidence.sum(axis=1)
                if is_used is None:
                    evidence[service, step] = sums.max(initial=0.0)
                else:
                    followed = new_tag in detector.tags
                    evidence[service, step] = sums[detector.tags.index(new_tag)] if followed else 0
        return evidence / _FEEDBACK_LIMIT


@dataclass(frozen=True)
class WeeklyEvidence:
    """The evidence of the weekly tests, divided by their limits; shape (n_services, n_weeks)."""

    figures: Floats
    tags: Floats

    @property
    def alarms(self) -> Alarms:
        """The weeks in which one of the tests raises an alarm."""
        return np.maximum(self.figures, self.tags) >= 1


def weekly_evidence(baselines: Sequence[Baseline], traffic: Traffic, drawn: Rows) -> WeeklyEvidence:
    """Test every week of every service.

    Parameters
    ----------
    baselines : sequence of Baseline, of length n_services
    traffic : Traffic
    drawn : ndarray of int, shape (n_services, n_weeks, n_predictions)
        Rows of the traffic.
    """
    names = sorted({tag for tags in traffic.tags for tag in tags})
    column_of = {tag: column for column, tag in enumerate(names)}
    has_tag = np.zeros((len(traffic), len(names)), dtype=np.float32)
    for row, tags in zip(has_tag, traffic.tags, strict=True):
        row[[column_of[tag] for tag in tags]] = 1
    # All baselines count figures in the bins of the release.
    counts_of = baselines[0].figures
    bins = [
        counts_of[name].bins_of(values)
        for name, values in zip(FIGURES, traffic.figures.T, strict=True)
    ]
    n_services, n_weeks, n_predictions = drawn.shape
    figures, tags_found = np.zeros((n_services, n_weeks)), np.zeros((n_services, n_weeks))
    for service, baseline in enumerate(baselines):
        uses = np.stack([np.bincount(rows, minlength=len(traffic)) for rows in drawn[service]])
        for name, of_rows in zip(FIGURES, bins, strict=True):
            before = baseline.figures[name].counts
            after = np.stack(
                [np.bincount(of_rows[rows], minlength=len(before)) for rows in drawn[service]]
            )
            p_values = ks_p_values(np.broadcast_to(before, after.shape), after)
            found = FIGURES_LEVEL / np.maximum(p_values, 1e-300)
            figures[service] = np.maximum(figures[service], found)
        suggested = uses.astype(np.float32) @ has_tag
        of_baseline = list(baseline.tags)
        old = np.array([baseline.tags[tag] for tag in of_baseline], dtype=np.int64)
        columns = [column_of.get(tag, -1) for tag in of_baseline]
        new = np.where(np.array(columns) >= 0, suggested[:, columns], 0).astype(np.int64)
        p_values = tags_p_values(
            np.broadcast_to(old, new.shape),
            baseline.n_predictions,
            new,
            n_predictions,
            baseline.tag_overlap,
        )
        tags_found[service] = TAGS_LEVEL / np.maximum(p_values, 1e-300)
    return WeeklyEvidence(figures, tags_found)


def model_drift_alarms(jaccards: Floats, drawn: Rows, promised: float) -> Alarms:
    """Test the mean Jaccard index of every week.

    Parameters
    ----------
    jaccards : ndarray of float, shape (n_questions,)
    drawn : ndarray of int, shape (n_services, n_weeks, n_feedbacks)
    promised : float
        The release's mean.
    """
    values = jaccards[drawn]
    n_feedbacks = drawn.shape[-1]
    totals, squares = values.sum(axis=-1), (values**2).sum(axis=-1)
    alarms = [
        p_value(n_feedbacks, total, square, promised) <= LEVEL
        for total, square in zip(totals.ravel().tolist(), squares.ravel().tolist(), strict=True)
    ]
    return np.array(alarms).reshape(drawn.shape[:2])


def by_week(evidence: Floats, per_week: int) -> Alarms:
    """Give the weeks in which the evidence of a service reaches its limit."""
    n_services, n_steps = evidence.shape
    alarms: Alarms = np.any(
        evidence.reshape(n_services, n_steps // per_week, per_week) >= 1, axis=2
    )
    return alarms


def delays(evidence: Floats, already: Floats) -> Floats:
    """Give how many observations after a change the alarm comes; shape (n_services,).

    Parameters
    ----------
    evidence : ndarray of float, shape (n_services, n_steps)
        From the change on, divided by the limit.
    already : ndarray of float, shape (n_services,)
        Just before the change. An alarm that was there before the change finds nothing: the delay
        of such a service is infinite, like that of one that raises no alarm.
    """
    reached = evidence >= 1
    found = reached.any(axis=1) & (already < 1)
    return np.where(found, reached.argmax(axis=1) + 1.0, np.inf)


def permuted(final_tags: Sequence[Sequence[str]], common: Sequence[str]) -> list[list[str]]:
    """Give every one of some tags the name of the next one, and the last the name of the first."""
    renamed = dict(zip(common, [*common[1:], common[0]], strict=True))
    return [[renamed.get(tag, tag) for tag in tags] for tags in final_tags]
