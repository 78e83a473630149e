"""Compute the real figures of the live model from questions and the answers to them."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
from tqdm import tqdm

from lambda_src.tagger import Prediction, Suggestion, TagModel
from model_build.audit.errors import AuditError
from model_build.audit.service import Service
from model_build.audit.tag_names import TagNames
from model_build.evaluation import N_RANKED, report
from model_build.intervals import bootstrap_interval
from model_build.metrics import JudgedQuestion
from model_build.model_card import MIN_QUESTIONS
from model_build.questions import Question

EVENT_VERSION: Final = 1
_DIGITS: Final = 4
"""The service rounds confidences to so many digits, so the bundle's are rounded, too."""
_PARTS: Final = {"by_file", "kinds", "years"}
"""The parts of a report that have figures of their own."""


class Audited(NamedTuple):
    """A question with the answer of the service and what the bundle says about it."""

    question: Question
    final_tags: list[str]
    suggestions: list[Suggestion]
    ranked: list[Suggestion]
    prediction: Prediction


class Audit(NamedTuple):
    """The questions of an audit."""

    audited: list[Audited]
    too_large: int
    """How many questions the service refused because of their size."""
    other_versions: int
    """How many answers came from another model version, as in a canary."""
    differing: int
    """How many answers differ from those of the bundle: there should be none."""


def ask(questions: Sequence[Question], service: Service, model: TagModel, names: TagNames) -> Audit:
    """Ask the service about questions.

    Parameters
    ----------
    questions : sequence of Question
    service : Service
    model : TagModel
        The bundle that the service runs. It gives the figures that an answer does not contain.
    names : TagNames

    Raises
    ------
    AuditError
        The service does not answer, or no answer came from the bundle's model version.
    """
    audited = []
    too_large = other_versions = differing = 0
    version = ""
    for question in tqdm(questions, desc="audit", unit="question", disable=None):
        answer = service.predict(question)
        if answer is None:
            too_large += 1
            continue
        if answer.model_version != model.version:
            version = answer.model_version
            other_versions += 1
            continue
        prediction = model.suggest(question.title, question.body, body_format=question.body_format)
        differing += [each.tag for each in answer.suggestions] != [
            each.tag for each in prediction.suggestions
        ]
        audited.append(
            Audited(
                question,
                names.of_all(question.tags),
                _renamed(answer.suggestions, names),
                _ranked(model, question, names),
                prediction,
            )
        )
    if not audited and version:
        raise AuditError(
            f"The service runs the model {version}, but the bundle is {model.version}. Name the "
            "bundle of the release with --model."
        )
    return Audit(audited, too_large, other_versions, differing)


def figures(audit: Audit, model: TagModel) -> dict[str, Any]:
    """Compute the metrics of the live model, as `model_build.evaluation.report` does."""
    questions = [each.question for each in audit.audited]
    judged = [
        JudgedQuestion(frozenset(each.final_tags), each.ranked, each.suggestions)
        for each in audit.audited
    ]
    found = report(model, judged, questions=questions)
    found["enough_questions"] = len(judged) >= MIN_QUESTIONS
    found["expected_jaccard"] = float(
        np.mean([each.prediction.expected_jaccard for each in audit.audited])
    )
    found |= {
        "too_large": audit.too_large,
        "other_versions": audit.other_versions,
        "differing": audit.differing,
    }
    return found


def compare(audit: Audit, challenger: TagModel, names: TagNames) -> dict[str, Any]:
    """Compare another model with the live one on the same questions.

    Returns
    -------
    dict
        The challenger's metrics, and ``difference``: its sample Jaccard minus that of the live
        model, a mean over pairs of answers to the same question, with a 95 % interval (bootstrap
        over the questions).
    """
    judged = []
    for each in audit.audited:
        question = each.question
        prediction = challenger.suggest(
            question.title, question.body, body_format=question.body_format
        )
        judged.append(
            JudgedQuestion(
                frozenset(names.of_all(question.tags)),
                _ranked(challenger, question, names),
                _renamed(prediction.suggestions, names),
            )
        )
    # Each model has its own names of tags, so each answer is compared with its own truth.
    theirs = np.array([_jaccard(each.truth, each.suggested) for each in judged])
    ours = np.array(
        [_jaccard(frozenset(each.final_tags), each.suggestions) for each in audit.audited]
    )
    differences = theirs - ours
    low, high = bootstrap_interval(
        lambda drawn: float(drawn @ differences) / float(drawn.sum()), len(differences)
    )
    found = report(challenger, judged)
    return {
        **{name: value for name, value in found.items() if name not in _PARTS},
        "difference": {
            "sample_jaccard": float(differences.mean()),
            "interval": [low, high],
            "enough_questions": len(differences) >= MIN_QUESTIONS,
        },
    }


def event_lines(audit: Audit, site: str, model: TagModel, day: date) -> bytes:
    """Return the audit as JSON Lines for the event store; the same audit gives the same bytes."""
    lines = []
    for each in sorted(audit.audited, key=lambda each: each.question.id or 0):
        created = each.question.creation_date
        line = {
            "event_version": EVENT_VERSION,
            "event_type": "audit",
            # The start of the day, so that a second run on the same day writes the same lines.
            "timestamp": f"{day.isoformat()}T00:00:00.000Z",
            "question_id": each.question.id,
            "site": site,
            "creation_date": None if created is None else f"{created.isoformat()}Z",
            "final_tags": each.final_tags,
            "model_version": model.version,
            "tags": [suggestion.tag for suggestion in each.suggestions],
            "confidences": [round(each.confidence, _DIGITS) for each in each.suggestions],
            "top_confidence": round(each.prediction.top_confidence, _DIGITS),
            "expected_jaccard": round(each.prediction.expected_jaccard, _DIGITS),
            "known_share": round(each.prediction.known_share, _DIGITS),
            "words": each.prediction.n_words,
            "code_share": round(each.prediction.code_share, _DIGITS),
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def _ranked(model: TagModel, question: Question, names: TagNames) -> list[Suggestion]:
    ranked = model.rank(
        question.title, question.body, body_format=question.body_format, limit=N_RANKED
    )
    return _renamed(ranked, names)


def _renamed(suggestions: Iterable[Suggestion], names: TagNames) -> list[Suggestion]:
    """Give suggestions the names that stand for them; of two with one name, keep the first."""
    found: dict[str, Suggestion] = {}
    for each in suggestions:
        name = names.of(each.tag)
        found.setdefault(name, Suggestion(name, each.confidence))
    return list(found.values())


def _jaccard(truth: frozenset[str], suggested: Iterable[Suggestion]) -> float:
    chosen = {each.tag for each in suggested}
    return len(chosen & truth) / len(chosen | truth)
