"""Decide whether a challenger may replace the champion."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from lambda_src.tagger import TagModel
from model_build.gate.behaviour import BehaviourTest, compare_behaviour
from model_build.gate.budget import median_milliseconds
from model_build.gate.paired import (
    LARGE_TAG_USES,
    LEVEL,
    Difference,
    Tags,
    TagTest,
    card_of,
    large_tag_tests,
    mean_difference,
    sample_jaccards,
    suggested_tags,
)
from model_build.gate.unseen import UnseenQuestions

PASS: Final = "pass"  # noqa: S105 (not a password)
FAIL: Final = "fail"
NOT_ENOUGH: Final = "not enough questions"
Outcome = Literal["pass", "fail", "not enough questions"]

VERSION: Final = 1
"""Of the decision's JSON."""


@dataclass(frozen=True)
class Limits:
    """What a challenger must keep to."""

    margin: float = 0.005
    """The lower bound of the difference in sample Jaccard must be above minus this."""
    tag_margin: float = 0.02
    """A large tag is worse if its F1 falls by more than this."""
    min_questions: int = 3_000
    max_time_ratio: float = 1.25
    """Median time of an answer, challenger to champion."""
    max_size_ratio: float = 1.5
    """Bytes of the bundle, challenger to champion."""


def decide(
    champion: Path,
    challenger: Path,
    unseen: UnseenQuestions,
    tests: Sequence[BehaviourTest],
    limits: Limits,
) -> dict[str, Any]:
    """Compare two bundles.

    Parameters
    ----------
    champion, challenger : Path
        The bundle files.
    unseen : UnseenQuestions
    tests : sequence of BehaviourTest
    limits : Limits

    Returns
    -------
    dict
        The decision with its figures; can be written as JSON. docs/train.md describes it.

    Raises
    ------
    BundleError
        A file is not a bundle that this release can read.
    """
    models = TagModel.load(champion), TagModel.load(challenger)
    facts: dict[str, Any] = {
        "version": VERSION,
        "champion": _model_card(models[0], champion),
        "challenger": _model_card(models[1], challenger),
        "limits": asdict(limits),
        "questions": unseen.card(),
    }
    if len(unseen.questions) < limits.min_questions:
        reason = f"{len(unseen.questions)} usable questions, but {limits.min_questions} are needed"
        return {"decision": NOT_ENOUGH, "reasons": [reason], **facts}
    truths = [frozenset(each.tags) for each in unseen.questions]
    suggested = [suggested_tags(model, unseen.questions) for model in models]
    outcome, answers = judge_answers(suggested[0], suggested[1], truths, limits)
    behaviour = compare_behaviour(tests, *models)
    times = median_milliseconds(models, unseen.questions)
    time_ratio = times[1] / times[0]
    size_ratio = facts["challenger"]["bytes"] / facts["champion"]["bytes"]
    facts |= {
        **answers.card,
        "behaviour": behaviour,
        "budget": {
            "champion_ms": round(times[0], 4),
            "challenger_ms": round(times[1], 4),
            "time_ratio": round(time_ratio, 3),
            "size_ratio": round(size_ratio, 3),
        },
    }
    failures = [f"behaviour: no longer right about {title!r}" for title in behaviour["broken"]]
    if time_ratio > limits.max_time_ratio:
        failures.append(
            f"an answer takes {time_ratio:.2f} times as long; the limit is {limits.max_time_ratio}"
        )
    if size_ratio > limits.max_size_ratio:
        failures.append(
            f"the bundle is {size_ratio:.2f} times as large; the limit is {limits.max_size_ratio}"
        )
    if failures and outcome != FAIL:
        return {"decision": FAIL, "reasons": failures, **facts}
    return {"decision": outcome, "reasons": [*answers.reasons, *failures], **facts}


class AnswersCard(NamedTuple):
    """Why the answers of a challenger are good enough or not."""

    reasons: list[str]
    card: dict[str, Any]
    """``sample_jaccard`` and ``large_tags`` of the decision."""


def judge_answers(
    champion: Sequence[Tags], challenger: Sequence[Tags], truths: Sequence[Tags], limits: Limits
) -> tuple[Outcome, AnswersCard]:
    """Decide by the answers alone: by the sample Jaccard, and by each large tag.

    Parameters
    ----------
    champion, challenger : sequence of frozenset of str
        What the models suggest for each question.
    truths : sequence of frozenset of str
        The true tags of each question.
    limits : Limits
    """
    jaccards = [sample_jaccards(each, truths) for each in (champion, challenger)]
    difference = mean_difference(jaccards[0], jaccards[1])
    tests = large_tag_tests(champion, challenger, truths, margin=limits.tag_margin)
    worse = [each for each in tests if each.p_value <= 1 - LEVEL]
    card = {
        "sample_jaccard": {
            "champion": round(float(jaccards[0].mean()), 5),
            "challenger": round(float(jaccards[1].mean()), 5),
            **card_of(difference, limits.margin),
        },
        "large_tags": {
            "least_uses": LARGE_TAG_USES,
            "tested": len(tests),
            "worse": [each.tag for each in worse],
            "tags": [_tag_card(each) for each in tests],
        },
    }
    outcome, reason = _judge(difference, len(truths), limits.margin)
    if not worse:
        return outcome, AnswersCard([reason], card)
    reasons = [
        f"worse at the tag {each.tag}: F1 {each.champion_f1:.3f} -> {each.challenger_f1:.3f} "
        f"(p = {each.p_value:.4f} after Holm's correction)"
        for each in worse
    ]
    return FAIL, AnswersCard([reason, *reasons] if outcome == FAIL else reasons, card)


def _judge(difference: Difference, n_questions: int, margin: float) -> tuple[Outcome, str]:
    """Decide by the sample Jaccard alone.

    The challenger fails if it is shown to be worse. If it is neither shown to be worse nor shown
    not to be, the questions are not enough.
    """
    mean, low, high = difference
    found = f"sample Jaccard {mean:+.4f}, 95 % bounds {low:+.4f} and {high:+.4f}"
    if low > -margin:
        return PASS, f"{found}: above the limit of {-margin}"
    if high > 0:
        # The half width shrinks with the square root of the number of questions.
        room = margin + mean
        needed = ceil(n_questions * ((mean - low) / room) ** 2) if room > 0 else None
        advice = f"about {needed} are needed if the difference stays" if needed else "give more"
        return NOT_ENOUGH, (
            f"{found}: {n_questions} questions show neither that it is worse nor that it is above "
            f"the limit of {-margin}; {advice}"
        )
    return FAIL, f"{found}: not above the limit of {-margin}"


def _model_card(model: TagModel, path: Path) -> dict[str, Any]:
    corpus = model.manifest["corpus"]
    return {
        "version": model.version,
        "sha256": model.sha256,
        "bytes": path.stat().st_size,
        "tags": len(model.tags),
        "corpus_dates": corpus["dates"],
    }


def _tag_card(test: TagTest) -> dict[str, Any]:
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in test._asdict().items()
    }


def summary(decision: dict[str, Any]) -> str:
    """Format a decision for people: the outcome, then one line per reason."""
    champion, challenger = decision["champion"], decision["challenger"]
    lines = [
        f"{decision['decision'].upper()}: {challenger['version']} in place of "
        f"{champion['version']}, on {decision['questions']['used']} questions"
    ]
    lines += [f"- {reason}" for reason in decision["reasons"]]
    if not decision["questions"]["corpora_compared"]:
        lines.append(
            "- near-duplicates of the corpora were not looked for: name the corpora with --corpus"
        )
    return "\n".join(lines)
