"""What a bundle says of its own quality and corpus, found while it was trained."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from lambda_src.tagger import Suggestion
from lambda_src.tagger.decoder import best_size
from lambda_src.tagger.rules import MAX_TAGS
from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.figures import Judged, figures
from model_build.intervals import intervals
from model_build.questions import Question

HOW: Final = (
    "out of fold: the regressions that score a question have not seen it, nor one like it; "
    "the few weights of the calibrator have"
)
_FIGURES: Final = (
    "sample_jaccard",
    "precision_at_1",
    "recall_at_5",
    "selective_precision_at_1",
    "macro_f1",
    "prediction_rate",
    "ece",
)
_DRAWS: Final = 200
_LEAST_QUESTIONS: Final = 100
"""Of fewer, a kind of questions has no figures of its own."""
_USES: Final = {"rare": (0, 50), "middle": (50, 200), "common": (200, 10**9)}
"""Kinds of tags by their uses in the corpus: from, and less than."""


class Ranked(NamedTuple):
    """The candidates of one question by falling confidence."""

    tags: Ints
    confidences: Floats


def judge_ranked(
    questions: Sequence[Question],
    ranked: Sequence[Ranked],
    tags: Sequence[str],
    *,
    other_tags: float,
    floor: float,
) -> list[Judged]:
    """Choose tags as the service would, but for its gate, and put them beside the truth."""
    judged = []
    for question, (numbers, sure) in zip(questions, ranked, strict=True):
        best = [
            Suggestion(tags[number], confidence)
            for number, confidence in zip(numbers.tolist(), sure.tolist(), strict=True)
        ]
        size = best_size(sure.tolist(), other_tags, MAX_TAGS) if sure[0] >= floor else 0
        judged.append(Judged(frozenset(question.tags), best[:10], best[:size]))
    return judged


def quality_card(
    questions: Sequence[Question], judged: Sequence[Judged], tags: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Give figures with 95 % intervals, by kinds of questions, and by how common tags are.

    Parameters
    ----------
    questions : sequence of Question
    judged : sequence of Judged
        Of the same questions.
    tags : sequence of (str, int)
        The model's tags and their uses.

    Returns
    -------
    dict
        As JSON allows.
    """
    with_bodies = [bool(question.body.strip()) for question in questions]
    kinds = {
        "titles alone": [each for each, body in zip(judged, with_bodies, strict=True) if not body],
        "with bodies": [each for each, body in zip(judged, with_bodies, strict=True) if body],
    }
    names = [tag for tag, _ in tags]
    return {
        "how": HOW,
        "questions": [
            {"kind": kind, "questions": len(some), **_with_intervals(some, names)}
            for kind, some in kinds.items()
            if len(some) >= _LEAST_QUESTIONS
        ],
        "tags": [found for kind in _USES if (found := _of_tags(kind, judged, tags))["tags"]],
    }


def corpus_card(questions: Sequence[Question]) -> dict[str, Any]:
    """Give the facts of a corpus: questions, kinds of them, dates; as JSON allows."""
    dates = sorted(each.creation_date for each in questions if each.creation_date is not None)
    days = [date.date().isoformat() for date in (*dates[:1], *dates[-1:])]
    return {
        "questions": len(questions),
        "with_bodies": sum(bool(each.body.strip()) for each in questions),
        "tags_cut_down": sum(each.judged_tags is not None for each in questions),
        "dated": len(dates),
        "dates": days,
    }


def _with_intervals(judged: Sequence[Judged], tags: Sequence[str]) -> dict[str, list[float]]:
    """Give each figure's value, low and high."""
    found, spread = figures(judged, tags), intervals(judged, tags, draws=_DRAWS)
    return {name: [round(x, 3) for x in (found[name], *spread[name])] for name in _FIGURES}


def _of_tags(
    kind: str, judged: Sequence[Judged], tags: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    low, high = _USES[kind]
    some = {tag for tag, uses in tags if low <= uses < high}
    suggested = np.array([[s.tag in some for s in each.suggested].count(True) for each in judged])
    true = np.array([len(each.truth & some) for each in judged])
    hits = np.array([len({s.tag for s in each.suggested} & each.truth & some) for each in judged])
    return {
        "kind": kind,
        "least_uses": low,
        "tags": len(some),
        "precision": round(float(hits.sum() / max(suggested.sum(), 1)), 3),
        "recall": round(float(hits.sum() / max(true.sum(), 1)), 3),
    }
