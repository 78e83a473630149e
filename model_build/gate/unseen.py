"""Choose the questions of a gate: newer than both corpora, and near-duplicates of neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lambda_src.tagger import TagModel
from model_build.duplicates import group_duplicates
from model_build.gate.errors import GateError
from model_build.questions import Question
from model_build.splitting import DATED_SHARE


@dataclass(frozen=True)
class UnseenQuestions:
    """The questions of a gate, and how many were left out for which reason."""

    questions: list[Question]
    given: int
    undated: int
    not_newer: int
    near_duplicates: int
    """Of a question of the corpora, or of an earlier question of the gate."""
    newer_than: date | None
    """None if dates were not compared."""
    corpora_compared: bool
    """Whether the corpora were there to look for near-duplicates in."""

    def card(self) -> dict[str, Any]:
        """Give the numbers; can be written as JSON."""
        return {
            "given": self.given,
            "undated": self.undated,
            "not_newer": self.not_newer,
            "near_duplicates": self.near_duplicates,
            "used": len(self.questions),
            "newer_than": self.newer_than and self.newer_than.isoformat(),
            "corpora_compared": self.corpora_compared,
        }


def newest_question(model: TagModel) -> date:
    """Return the date of the newest question of a model's corpus, from the model's card.

    Raises
    ------
    GateError
        Too few questions of the corpus have a date.
    """
    corpus = model.manifest["corpus"]
    if not corpus["dates"] or corpus["dated"] < DATED_SHARE * corpus["questions"]:
        raise GateError(
            f"Model {model.version}: only {corpus['dated']} of the {corpus['questions']} questions "
            "of its corpus have a date, so its newest question is not known. Say with --newer-than "
            "from which day on neither model has seen a question. Or name both corpora with "
            "--corpus and give --any-date, if you know that neither has seen these questions."
        )
    return date.fromisoformat(corpus["dates"][-1])


def choose_unseen(
    questions: Sequence[Question],
    *,
    newer_than: date | None,
    corpus: Sequence[Question],
) -> UnseenQuestions:
    """Choose the questions that neither model can have learned from.

    Parameters
    ----------
    questions : sequence of Question
    newer_than : date or None
        Leave out questions of this day, of earlier days, and of unknown days; None: use all.
    corpus : sequence of Question
        What the two models were trained on; empty if it is not there.
    """
    undated = not_newer = 0
    newer = []
    for question in questions:
        if newer_than is None:
            newer.append(question)
        elif question.creation_date is None:
            undated += 1
        elif question.creation_date.date() <= newer_than:
            not_newer += 1
        else:
            newer.append(question)
    groups = group_duplicates([*corpus, *newer])
    seen = set(groups[: len(corpus)])
    chosen = []
    for question, group in zip(newer, groups[len(corpus) :], strict=True):
        if group not in seen:
            seen.add(group)
            chosen.append(question)
    return UnseenQuestions(
        questions=chosen,
        given=len(questions),
        undated=undated,
        not_newer=not_newer,
        near_duplicates=len(newer) - len(chosen),
        newer_than=newer_than,
        corpora_compared=bool(corpus),
    )
