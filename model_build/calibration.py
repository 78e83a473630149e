"""Learn, from scores of questions a model has not seen, what its scores are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from lambda_src.tagger.analyzer import QuestionTokens
from lambda_src.tagger.calibrator import (
    FEATURES,
    Candidates,
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.lexicon import Lexicon
from model_build.truth import Truth

UNANSWERED_SHARE = 0.01
"""Of the corpus's questions this share, the least sure, is below the floor."""


@dataclass(frozen=True)
class Calibration:
    """What turns scores into confidences and confidences into a set of tags."""

    weights: Floats
    """Shape (len(FEATURES) + 1,): of `lambda_src.tagger.calibrator.confidences`."""
    facts: TagFacts
    other_tags: float
    """Mean number of true tags that are not among the candidates."""
    floor: float
    """Where the best tag is less sure than this, nothing is suggested."""


def calibrate(
    scores: npt.NDArray[np.floating],
    *,
    rows: Ints,
    tokens: Sequence[QuestionTokens],
    truth: Truth,
    n_true: npt.NDArray[np.intp],
    lexicon: Lexicon,
    title_weight: int,
) -> Calibration:
    """Fit the calibrator.

    Parameters
    ----------
    scores : ndarray of float, shape (n_questions, n_tags)
        Out of fold: each by a model that was trained without the question.
    rows : ndarray of int, shape (n_judged,)
        Questions whose tags are complete.
    tokens : sequence of QuestionTokens, of length n_questions
    truth : Truth
        Of all questions.
    n_true : ndarray of int, shape (n_questions,)
        True tags of each question, also those that the model does not know.
    lexicon : Lexicon
    title_weight : int
    """
    vocabulary = lexicon.vocabulary(title_weight)
    tag_names = lexicon.tag_names(vocabulary)
    marks = truth.marks.tocsr()
    questions = tqdm(rows, desc="calibration", unit="question", disable=None)
    counts = [tag_names.count(vocabulary.find(vocabulary.number(tokens[row]))) for row in questions]
    in_title = np.zeros((len(rows), scores.shape[1]), dtype=np.bool_)
    for place, count in enumerate(counts):
        in_title[place, list(count.title)] = True
    names = _NameUses.of(in_title, marks[rows])
    facts = TagFacts(np.log(np.asarray(truth.marks.sum(axis=0)).ravel()), names.worth())
    described, right = [], []
    for row, count in zip(rows, counts, strict=True):
        candidates = best_candidates(scores[row].astype(np.float64))
        present = _present(marks, row, candidates)
        question = QuestionFacts(count, len(tokens[row].title), len(tokens[row].prose))
        # What a name is worth must not be learnt from the question that it is asked of.
        worth = facts.name_worth.copy()
        worth[candidates.tags] = names.worth_without(candidates.tags, present)
        described.append(features(candidates, question, facts._replace(name_worth=worth)))
        right.append(present)
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        np.concatenate(described), np.concatenate(right)
    )
    weights = _unscaled(fitted[0], fitted[1])
    tops = [confidences(each @ weights[:-1] + weights[-1]).max() for each in described]
    missed = n_true[rows] - [int(each.sum()) for each in right]
    return Calibration(
        weights, facts, float(missed.mean()), float(np.quantile(tops, UNANSWERED_SHARE))
    )


def _present(marks: Any, row: int, candidates: Candidates) -> npt.NDArray[np.bool_]:
    true = marks.indices[marks.indptr[row] : marks.indptr[row + 1]]
    return np.isin(candidates.tags, true)


class _NameUses(NamedTuple):
    """How often tags' names stood in titles, shape (n_tags,) each."""

    named: Floats
    both: Floats
    """With the tag."""
    rate: float
    """Of the tag where its name stands there, over all tags."""

    @classmethod
    def of(cls, in_title: npt.NDArray[np.bool_], marks: Any) -> Self:
        named = in_title.sum(axis=0).astype(np.float64)
        both = np.asarray(marks.multiply(in_title).sum(axis=0), dtype=np.float64).ravel()
        return cls(named, both, float((both.sum() + 1) / (named.sum() + 2)))

    def worth(self) -> Floats:
        """Log-odds of each tag where its name stands in the title, shrunk to those of all."""
        return self._log_odds(self.named, self.both)

    def worth_without(self, tags: Ints, present: npt.NDArray[np.bool_]) -> Floats:
        """The same for some tags as if a question with these names and tags had not been there."""
        return self._log_odds(
            np.maximum(self.named[tags] - 1, 0), np.maximum(self.both[tags] - present, 0)
        )

    def _log_odds(self, named: Floats, both: Floats) -> Floats:
        weight = 5.0  # questions that the common rate counts for
        without = np.maximum(named - both, 0)
        odds = (both + weight * self.rate) / (without + weight * (1 - self.rate))
        log_odds: Floats = np.log(odds)
        return log_odds


def _unscaled(scaler: StandardScaler, regression: LogisticRegression) -> Floats:
    weights = regression.coef_[0] / scaler.scale_
    intercept = regression.intercept_[0] - weights @ scaler.mean_
    assert len(weights) == len(FEATURES)  # noqa: S101 (what the service multiplies them with)
    return np.append(weights, intercept)
