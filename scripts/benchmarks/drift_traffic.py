"""Live traffic for `scripts/bench drift`: a model's answers to questions that it never saw."""

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.concept import TOLERANCE, feedback_e_values
from lambda_src.monitor.drift.model_drift import jaccard
from lambda_src.monitor.drift.observations import DECIMALS, FIGURES, Feedbacks, Predictions
from lambda_src.tagger import TagModel
from lambda_src.tagger.rules import ANALYZER_VERSION
from model_build.bundle_writer import write_bundle
from model_build.corpus import Rejects, read_corpus
from model_build.questions import Question
from model_build.splitting import fold_numbers
from model_build.synonyms import WELL_KNOWN, read_synonyms
from model_build.training import PRUNE, TrainingOptions, fit
from scripts.benchmarks.paths import CACHE

_UNDATED: Final = "NaT"

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """Questions with the model's answers, and the tags that their askers chose."""

    sites: npt.NDArray[np.str_]
    days: npt.NDArray[np.datetime64]
    """``NaT`` where a question has no date."""
    figures: Floats
    """Shape (n_questions, len(FIGURES))."""
    tags: list[list[str]]
    confidences: list[list[float]]
    final_tags: list[list[str]]
    unknown_tags: list[list[str]]

    @classmethod
    def of(cls, events: Iterable[dict[str, Any]]) -> Self:
        """Collect answers; see `answers` for their fields."""
        rows = list(events)
        return cls(
            np.array([row["site"] for row in rows]),
            np.array([row["day"] for row in rows], dtype="datetime64[D]"),
            np.array([[row[name] for name in FIGURES] for row in rows]),
            tags=[row["tags"] for row in rows],
            confidences=[row["confidences"] for row in rows],
            final_tags=[row["final_tags"] for row in rows],
            unknown_tags=[row["unknown_tags"] for row in rows],
        )

    def __len__(self) -> int:
        return len(self.sites)

    def part(self, rows: Rows) -> Self:
        """Select some of the questions."""
        return type(self)(
            self.sites[rows],
            self.days[rows],
            self.figures[rows],
            *(
                [column[row] for row in rows]
                for column in (self.tags, self.confidences, self.final_tags, self.unknown_tags)
            ),
        )

    def of_site(self, site: str) -> Self:
        """Select the questions of one site."""
        return self.part(np.flatnonzero(self.sites == site))

    @cached_property
    def predictions(self) -> Predictions:
        """The answers, as the monitor sees them."""
        return Predictions(self.days, self.figures, self.tags)

    def feedbacks(self, final_tags: Sequence[Sequence[str]] | None = None) -> Feedbacks:
        """Give the feedback about all answers, with other final tags if they are given."""
        final = self.final_tags if final_tags is None else final_tags
        return Feedbacks(self.days, self.tags, self.confidences, final, self.unknown_tags)

    def e_values(
        self, final_tags: Sequence[Sequence[str]] | None = None, tolerance: float = TOLERANCE
    ) -> Floats:
        """Give the e-values of `lambda_src.monitor.drift.concept`, one row per question."""
        return feedback_e_values(self.feedbacks(final_tags), tolerance)

    def jaccards(self, final_tags: Sequence[Sequence[str]] | None = None) -> Floats:
        """Give the Jaccard index of each answer."""
        final = self.final_tags if final_tags is None else final_tags
        return np.array([jaccard(*pair) for pair in zip(self.tags, final, strict=True)])


def load(
    paths: Sequence[Path], min_tag_count: int, seed: int, jobs: int
) -> tuple[Baseline, Traffic]:
    """Train on a random half of the questions, and let the model answer the other half.

    Both results are kept, so that another run with the same questions takes seconds.

    Parameters
    ----------
    paths : sequence of Path
        The files of the questions.
    min_tag_count, seed : int
    jobs : int
        Number of processes of the training.

    Returns
    -------
    baseline : Baseline
        The one in the bundle.
    traffic : Traffic
    """
    folder = CACHE / "drift" / _key(paths, min_tag_count, seed)
    bundle, answered = folder / "model.safetensors", folder / "answers.jsonl"
    if not answered.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with Rejects(folder / "rejects.jsonl") as rejects:
            questions = read_corpus(paths, rejects)
        half = fold_numbers(questions, 2, seed)
        training, live = (
            [question for question, of_one in zip(questions, half, strict=True) if of_one == part]
            for part in (0, 1)
        )
        print(f"drift: training on {len(training)} questions", file=sys.stderr)
        options = TrainingOptions(min_tag_count=min_tag_count, prune=PRUNE, jobs=jobs, seed=seed)
        write_bundle(fit(training, options, read_synonyms([WELL_KNOWN])), bundle, corpus={})
        unfinished = answered.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as lines:
            for answer in answers(TagModel.load(bundle), live):
                lines.write(json.dumps(answer) + "\n")
        unfinished.replace(answered)
    baseline = Baseline.from_json(TagModel.load(bundle).manifest["baseline"])
    with answered.open(encoding="utf-8") as lines:
        return baseline, Traffic.of(map(json.loads, lines))


def answers(model: TagModel, questions: Sequence[Question]) -> Iterable[dict[str, Any]]:
    """Answer questions, and give what the events of a prediction and its feedback hold."""
    known = frozenset(model.tags)
    for question in tqdm(questions, desc="answers", unit="question", disable=None):
        answer = model.suggest(question.title, question.body, body_format=question.body_format)
        day = question.creation_date
        yield {
            "site": question.site or "",
            "day": day.date().isoformat() if day else _UNDATED,
            "top_confidence": round(answer.top_confidence, DECIMALS),
            "known_share": round(answer.known_share, DECIMALS),
            "words": answer.n_words,
            "code_share": round(answer.code_share, DECIMALS),
            "expected_jaccard": round(answer.expected_jaccard, DECIMALS),
            "tags": [each.tag for each in answer.suggestions],
            "confidences": [round(each.confidence, DECIMALS) for each in answer.suggestions],
            "final_tags": list(question.tags),
            "unknown_tags": [tag for tag in question.tags if tag not in known],
        }


def _key(paths: Sequence[Path], min_tag_count: int, seed: int) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return f"{digest.hexdigest()[:12]}-{min_tag_count}-{seed}-v{ANALYZER_VERSION}"
