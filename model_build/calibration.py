"""Learn, from scores of questions a model has not seen, what its scores are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    vocabulary, names = lexicon.vocabulary(title_weight), lexicon.tag_names()
    marks = truth.marks.tocsr()
    questions = tqdm(rows, desc="calibration", unit="question", disable=None)
    counts = [names.count(vocabulary.keys_of(tokens[row])).astype(np.uint8) for row in questions]
    facts = TagFacts(
        np.log(np.asarray(truth.marks.sum(axis=0)).ravel()),
        _name_worth(np.array([each[0] for each in counts]) > 0, marks[rows]),
    )
    described, right = [], []
    for row, count in zip(rows, counts, strict=True):
        candidates = best_candidates(scores[row].astype(np.float64))
        question = QuestionFacts(
            count.astype(np.float64), len(tokens[row].title), len(tokens[row].prose)
        )
        described.append(features(candidates, question, facts))
        right.append(_present(marks, row, candidates))
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        np.concatenate(described), np.concatenate(right)
    )
    weights = _unscaled(fitted[0], fitted[1])
    tops = [confidences(each, weights).max() for each in described]
    missed = n_true[rows] - [int(each.sum()) for each in right]
    return Calibration(
        weights, facts, float(missed.mean()), float(np.quantile(tops, UNANSWERED_SHARE))
    )


def _present(marks: "object", row: int, candidates: Candidates) -> npt.NDArray[np.bool_]:
    true = marks.indices[marks.indptr[row] : marks.indptr[row + 1]]  # type: ignore[attr-defined]
    return np.isin(candidates.tags, true)


def _name_worth(in_title: npt.NDArray[np.bool_], marks: "object") -> Floats:
    """Log-odds of each tag where its name stands in the title, smoothed by half a question."""
    named = in_title.sum(axis=0)
    both = np.asarray(marks.multiply(in_title).sum(axis=0)).ravel()  # type: ignore[attr-defined]
    worth: Floats = np.log((both + 0.5) / (named - both + 0.5))
    return worth


def _unscaled(scaler: StandardScaler, regression: LogisticRegression) -> Floats:
    weights = regression.coef_[0] / scaler.scale_
    intercept = regression.intercept_[0] - weights @ scaler.mean_
    assert len(weights) == len(FEATURES)  # noqa: S101 (what the service multiplies them with)
    return np.append(weights, intercept)
