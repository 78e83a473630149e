"""What predictions look like when nothing has changed: the baseline that drift is measured from.

Training writes one into each bundle, from predictions for questions that the regressions had not
seen. A baseline of questions that the model was trained on would show a drift at once, because
a model is more confident about those.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lambda_src.monitor.drift.observations import DECIMALS, FIGURES, Floats, Predictions
from lambda_src.monitor.drift.rare_tags import RareTags

VERSION: Final = 1
MAX_BINS: Final = 48
"""The bins of a figure, before the tests join them, hold about equally many predictions."""
MAX_TAGS: Final = 100
"""So many of the most often suggested tags are kept."""
MAX_FIRST_TAGS: Final = 60
"""So many of the most common first tags are kept. With 20, it takes twice as many predictions until
a change to another site is found."""
_OVERLAP_ROWS: Final = 20_000
"""`Baseline.tag_overlap` is computed from about so many predictions."""

Counts = npt.NDArray[np.int64]


class BaselineError(ValueError):
    """A baseline cannot be read."""


class FigureCounts(NamedTuple):
    """How the values of one figure are distributed."""

    edges: Floats
    """Shape (n_bins - 1,), ascending. Bin ``i`` holds the values above ``edges[i - 1]`` and up to
    ``edges[i]``."""
    counts: Counts
    """Shape (n_bins,)."""
    total: float
    """The sum of all values."""

    def bins_of(self, values: Floats) -> npt.NDArray[np.intp]:
        """Give the bin of each value."""
        return np.searchsorted(self.edges, np.round(values, DECIMALS), side="left")

    def recounted(self, values: Floats) -> Self:
        """Count other values in the same bins."""
        counts = np.bincount(self.bins_of(values), minlength=len(self.counts))
        return self._replace(counts=counts, total=float(values.sum()))


@dataclass(frozen=True)
class Baseline:
    """Counts of the figures and tags of predictions, and what training knows beside them."""

    n_predictions: int
    figures: Mapping[str, FigureCounts]
    """By the names of `FIGURES`."""
    n_quiet: int
    """How many predictions had no tags."""
    first_tags: Mapping[str, int]
    """How many predictions had each of the most common first tags."""
    tags: Mapping[str, int]
    """How many predictions suggested each of the most often suggested tags."""
    tag_overlap: float
    """How much those tags occur together: the sum of the squares of their correlation matrix,
    divided by the number of tags. 1: they are independent."""
    n_questions: int
    """The size of the corpus that the model's tags were counted in."""
    rare_tags: RareTags
    """The tags of the corpus that the model does not know."""
    sample_jaccard: float
    """The mean Jaccard index of suggested and true tags."""
    calibration: Sequence[tuple[float, float, int]] = ()
    """Suggested tags in bins by their confidence: the mean confidence, the share of true tags, and
    the number of suggestions."""

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        *,
        n_questions: int,
        rare_tags: RareTags,
        sample_jaccard: float,
        calibration: Sequence[tuple[float, float, int]] = (),
    ) -> Self:
        """Make a baseline from predictions; see the attributes for the parameters."""
        figures = {
            name: _figure_counts(values)
            for name, values in zip(FIGURES, predictions.figures.T, strict=True)
        }
        return cls(
            n_predictions=len(predictions),
            figures=figures,
            **tag_counts(predictions.tags),
            tag_overlap=tag_overlap(predictions.tags),
            n_questions=n_questions,
            rare_tags=rare_tags,
            sample_jaccard=sample_jaccard,
            calibration=calibration,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        BaselineError
            The value has another version, or is not a baseline.
        """
        if value.get("version") != VERSION:
            raise BaselineError(
                f"The baseline has version {value.get('version')!r}, but this release reads only "
                f"version {VERSION}. Train the model again with 'python -m model_build train'."
            )
        try:
            figures = {name: _read_counts(value["figures"][name]) for name in FIGURES}
            baseline = cls(
                n_predictions=int(value["predictions"]),
                figures=figures,
                n_quiet=int(value["quiet"]),
                first_tags=dict(value["first_tags"]),
                tags=dict(value["tags"]),
                tag_overlap=float(value["tag_overlap"]),
                n_questions=int(value["questions"]),
                rare_tags=RareTags.from_json(value["rare_tags"], int(value["other_tag_uses"])),
                sample_jaccard=float(value["sample_jaccard"]),
                calibration=[(float(c), float(p), int(n)) for c, p, n in value["calibration"]],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BaselineError(
                f"The baseline cannot be read: {error!r}. Train the model again with "
                "'python -m model_build train'."
            ) from None
        for name, counts in figures.items():
            if counts.counts.sum() != baseline.n_predictions or not baseline.n_predictions:
                raise BaselineError(
                    f"The baseline's counts of {name} do not add up to its "
                    f"{baseline.n_predictions} predictions. Train the model again with "
                    "'python -m model_build train'."
                )
        return baseline

    def to_json(self) -> dict[str, Any]:
        """Give the baseline as values that JSON has; a few kilobytes."""
        return {
            "version": VERSION,
            "predictions": self.n_predictions,
            "figures": {
                name: {
                    "edges": counts.edges.tolist(),
                    "counts": counts.counts.tolist(),
                    "total": round(counts.total, DECIMALS),
                }
                for name, counts in self.figures.items()
            },
            "quiet": self.n_quiet,
            "first_tags": dict(self.first_tags),
            "tags": dict(self.tags),
            "tag_overlap": round(self.tag_overlap, DECIMALS),
            "questions": self.n_questions,
            "rare_tags": self.rare_tags.to_json(),
            "other_tag_uses": self.rare_tags.max_other_uses,
            "sample_jaccard": round(self.sample_jaccard, DECIMALS),
            "calibration": [
                [round(confidence, DECIMALS), round(precision, DECIMALS), n]
                for confidence, precision, n in self.calibration
            ],
        }


def tag_counts(tags: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Count the tags of some predictions, as the attributes of `Baseline` describe."""
    first = Counter(of_question[0] for of_question in tags if len(of_question))
    suggested = Counter(tag for of_question in tags for tag in of_question)
    return {
        "n_quiet": len(tags) - first.total(),
        "first_tags": most_common(first, MAX_FIRST_TAGS),
        "tags": most_common(suggested, MAX_TAGS),
    }


def most_common(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """Keep the largest counts; of equal ones, the first by name."""
    order = sorted(counts.items(), key=lambda tag_and_count: (-tag_and_count[1], tag_and_count[0]))
    return dict(order[:limit])


def tag_overlap(tags: Sequence[Sequence[str]]) -> float:
    """Compute `Baseline.tag_overlap`."""
    tags = tags[:: max(1, len(tags) // _OVERLAP_ROWS)]
    column_of = {tag: column for column, tag in enumerate(tag_counts(tags)["tags"])}
    has_tag = np.zeros((len(tags), len(column_of)))
    for row, of_question in zip(has_tag, tags, strict=True):
        row[[column_of[tag] for tag in of_question if tag in column_of]] = 1
    # A tag that every prediction suggests has no correlation with others.
    varies = has_tag.std(axis=0) > 0
    if not varies.any():
        return 1.0
    correlation = np.atleast_2d(np.corrcoef(has_tag[:, varies], rowvar=False))
    return float((correlation**2).sum() / varies.sum())


def _figure_counts(values: Floats) -> FigureCounts:
    """Choose edges that are values themselves, so that a value that many share has one bin."""
    rounded = np.sort(np.round(values, DECIMALS))
    places = np.arange(1, MAX_BINS) * len(rounded) // MAX_BINS
    edges = np.unique(rounded[places])
    edges = edges[edges < rounded[-1]]
    return FigureCounts(edges, np.zeros(len(edges) + 1, np.int64), 0.0).recounted(values)


def _read_counts(value: Mapping[str, Any]) -> FigureCounts:
    edges = np.array(value["edges"], dtype=np.float64)
    counts = np.array(value["counts"], dtype=np.int64)
    if edges.ndim != 1 or len(counts) != len(edges) + 1 or (np.diff(edges) <= 0).any():
        raise ValueError("edges and counts do not fit each other")
    return FigureCounts(edges, counts, float(value["total"]))
