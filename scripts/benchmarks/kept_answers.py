"""The answers of the systems of `scripts/bench quality`, kept between runs.

A run that was stopped goes on with the next system, and systems can be measured one by one.
"""

import hashlib
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lambda_src.tagger import Suggestion
from model_build.questions import Question
from scripts.benchmarks.paths import CACHE
from scripts.benchmarks.systems.etiquette import Etiquette
from scripts.benchmarks.systems.system import Answer, Corpus, System
from scripts.benchmarks.systems.texts import fields, stemmed_terms
from scripts.shared.paths import ROOT


class Answered(NamedTuple):
    """What a system answered to the test questions, and what this took."""

    answers: list[Answer]
    train_seconds: float
    """Includes the original time of results that were reused."""
    model_mb: float


def answer_or_load(
    name: str, system: System, corpus: Corpus, test: Sequence[Question], options: Sequence[str]
) -> Answered:
    """Train a system and ask it, or load its answers of an earlier run.

    Answers are loaded if the system's code, its options and all questions are still the same.

    Parameters
    ----------
    name : str
    system : System
    corpus : Corpus
    test : sequence of Question
    options : sequence of str
        What else the answers depend on.
    """
    key = _digest(
        [
            *_code(system),
            *options,
            *corpus.tags,
            str(corpus.min_tag_count),
            *_contents(corpus.questions),
            "test",
            *_contents(test),
        ]
    )
    path = CACHE / "quality" / f"{name}-{key[:16]}.json"
    if path.exists():
        print(f"{name}: the answers of an earlier run", file=sys.stderr)
        return _load(path)
    print(f"{name}: training", file=sys.stderr)
    started = time.perf_counter()
    system.fit(corpus)
    train_seconds = time.perf_counter() - started + system.seconds_saved
    answered = Answered(system.answer(test), train_seconds, system.megabytes())
    _save(answered, path)
    return answered


def _code(system: System) -> Iterable[str]:
    """Yield the source code that decides about a system's answers."""
    if isinstance(system, Etiquette):
        folders = [ROOT / "lambda_src" / "tagger", ROOT / "model_build"]
    else:
        folders = [Path(__file__).parent / "systems"]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".c", ".csv"}:
                yield path.read_text(encoding="utf-8")


def _contents(questions: Sequence[Question]) -> Iterable[str]:
    """Yield all that the systems read of questions."""
    for question, parts in zip(questions, fields(questions), strict=True):
        yield from (question.title, question.body, question.body_format, *question.tags)
        yield str(None if question.judged_tags is None else sorted(question.judged_tags))
        # The other systems use Etiquette's stemming, and its separation of prose and code.
        yield from (*parts, *stemmed_terms(question.title, with_pairs=False))


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _load(path: Path) -> Answered:
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    answers = [
        Answer([Suggestion(*each) for each in ranked], [Suggestion(*each) for each in suggested])
        for ranked, suggested in kept["answers"]
    ]
    return Answered(answers, kept["train_seconds"], kept["model_mb"])


def _save(answered: Answered, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(answered._asdict()), encoding="utf-8")
    unfinished.replace(path)
