"""Describe the quality and the corpus of a model, for the manifest of its bundle."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from lambda_src.tagger import Suggestion
from lambda_src.tagger.decoder import choose_tags
from lambda_src.tagger.rules import MAX_TAGS
from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.intervals import metric_intervals
from model_build.metrics import JudgedQuestion, compute_metrics
from model_build.question_kinds import rows_by_kind, rows_by_year
from model_build.questions import Question

METHOD: Final = (
    "out of fold: the regressions that score a question were trained without it and its "
    "near-duplicates; calibrator and re-ranker were fitted on all questions"
)
_METRICS: Final = (
    "sample_jaccard",
    "precision_at_1",
    "recall_at_5",
    "selective_precision_at_1",
    "macro_f1",
    "prediction_rate",
    "ece",
)
_DRAWS: Final = 200
MIN_QUESTIONS: Final = 100
"""Metrics of fewer questions have no intervals; the card of a bundle leaves them out."""
_USES_BY_KIND: Final = {"rare": (0, 50), "middle": (50, 200), "common": (200, 10**9)}
"""Kinds of tags: the smallest number of uses, and the first that is too large."""


class RankedTags(NamedTuple):
    """The shortlist of one question, in descending order of the confidences."""

    tags: Ints
    """Shape (n_shortlisted,): numbers of tags."""
    confidences: Floats
    """Shape (n_shortlisted,)."""


def judge_ranked(
    questions: Sequence[Question],
    ranked: Sequence[RankedTags],
    tags: Sequence[str],
    *,
    other_tags: float,
    floor: float,
) -> list[JudgedQuestion]:
    """Choose tags as the service does, but without its checks for known words and for a topic.

    Parameters
    ----------
    questions : sequence of Question
    ranked : sequence of RankedTags
        Of the same questions.
    tags : sequence of str
        The model's tags, in the order of their numbers.
    other_tags, floor : float
        See `model_build.ranking.FittedRanking`.
    """
    judged = []
    for question, (numbers, confidences) in zip(questions, ranked, strict=True):
        best = [
            Suggestion(tags[number], confidence)
            for number, confidence in zip(numbers.tolist(), confidences.tolist(), strict=True)
        ]
        size, expected_jaccard = choose_tags(confidences.tolist(), other_tags, MAX_TAGS)
        size = size if expected_jaccard >= floor else 0
        judged.append(JudgedQuestion(frozenset(question.tags), best[:10], best[:size]))
    return judged


def quality_card(
    questions: Sequence[Question], judged: Sequence[JudgedQuestion], tags: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Compute metrics by kind and year of question, with 95 % intervals, and by kind of tag.

    Parameters
    ----------
    questions : sequence of Question
    judged : sequence of JudgedQuestion
        Of the same questions.
    tags : sequence of (str, int)
        The model's tags and their uses.

    Returns
    -------
    dict
        Can be written as JSON.
    """
    names = [tag for tag, _ in tags]

    def figures(rows: Sequence[int]) -> dict[str, Any]:
        of_kind = [judged[row] for row in rows]
        return {"questions": len(rows), **_with_intervals(of_kind, names)}

    return {
        "how": METHOD,
        "questions": [
            {"kind": kind, **figures(rows)}
            for kind, rows in rows_by_kind(questions).items()
            if len(rows) >= MIN_QUESTIONS
        ],
        "years": [
            {"year": year, **figures(rows)}
            for year, rows in rows_by_year(questions).items()
            if len(rows) >= MIN_QUESTIONS
        ],
        "tags": [card for kind in _USES_BY_KIND if (card := _tag_card(kind, judged, tags))["tags"]],
    }


def corpus_card(questions: Sequence[Question]) -> dict[str, Any]:
    """Count the questions of a corpus and give its first and last date; can be written as JSON."""
    dates = sorted(each.creation_date for each in questions if each.creation_date is not None)
    days = [date.date().isoformat() for date in (*dates[:1], *dates[-1:])]
    return {
        "questions": len(questions),
        "with_bodies": sum(bool(each.body.strip()) for each in questions),
        "tags_cut_down": sum(each.judged_tags is not None for each in questions),
        "dated": len(dates),
        "dates": days,
    }


def tag_set_card(files: Sequence[str], n_sets: int) -> dict[str, Any]:
    """Describe the tag sets of a training; can be written as JSON.

    Parameters
    ----------
    files : sequence of str
        The names of the files.
    n_sets : int
        How many sets were used: without doubles, and without questions of the corpus.
    """
    return {
        "files": list(files),
        "sets": n_sets,
        "used_for": "which tags occur together, and the names of tags that the corpus hardly uses; "
        "all figures of quality are from the corpus's files",
    }


def _with_intervals(
    judged: Sequence[JudgedQuestion], tags: Sequence[str]
) -> dict[str, list[float]]:
    """Give the value of each metric and both ends of its interval."""
    values = compute_metrics(judged, tags)
    intervals = metric_intervals(judged, tags, draws=_DRAWS)
    return {
        name: [round(number, 3) for number in (values[name], *intervals[name])] for name in _METRICS
    }


def _tag_card(
    kind: str, judged: Sequence[JudgedQuestion], tags: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    low, high = _USES_BY_KIND[kind]
    of_kind = {tag for tag, uses in tags if low <= uses < high}
    suggested = [{tag for tag, _ in each.suggested} & of_kind for each in judged]
    n_suggested = sum(map(len, suggested))
    n_true = sum(len(each.truth & of_kind) for each in judged)
    n_hits = sum(len(each.truth & chosen) for each, chosen in zip(judged, suggested, strict=True))
    return {
        "kind": kind,
        "least_uses": low,
        "tags": len(of_kind),
        "precision": round(n_hits / max(n_suggested, 1), 3),
        "recall": round(n_hits / max(n_true, 1), 3),
    }
