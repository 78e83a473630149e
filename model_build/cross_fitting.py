"""Apply an estimator to questions that it was not fitted on."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from sklearn.base import clone
from tqdm import tqdm

from lambda_src.tagger.vocabulary import Ints


class Estimator(Protocol):
    """An estimator in the sense of scikit-learn: `sklearn.base.clone` can copy it."""

    def fit(self, questions: Any, truth: Any, /) -> Self:
        """Fit the estimator on questions and their true tags."""


Fitted = TypeVar("Fitted", bound=Estimator)
Result = TypeVar("Result")


def cross_fit(
    estimator: Fitted,
    questions: Any,
    truth: Any,
    folds: Ints,
    predict: Callable[[Fitted, Any], Sequence[Result]],
) -> list[Result]:
    """Fit an estimator once per fold on the other folds, and apply it to the fold.

    This is `sklearn.model_selection.cross_val_predict` for questions and tags that are not arrays.

    Parameters
    ----------
    estimator : Estimator
        Not changed: a copy is fitted for each fold.
    questions, truth : list, or an object that an array of row numbers can index
        What the estimator is fitted on, one entry or row per question.
    folds : ndarray of int, shape (n_questions,)
        The fold of each question.
    predict : callable
        Takes a fitted estimator and some of the questions. Returns one result per question.

    Returns
    -------
    list
        One result per question, in the order of the questions.
    """
    results: dict[int, Result] = {}
    for fold in tqdm(np.unique(folds), desc=type(estimator).__name__, unit="fold", disable=None):
        others, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        fitted = clone(estimator).fit(_take(questions, others), _take(truth, others))
        predictions = predict(fitted, _take(questions, held_out))
        results.update(zip(held_out.tolist(), predictions, strict=True))
    return [results[row] for row in range(len(folds))]


def _take(entries: Any, rows: Ints) -> Any:
    return [entries[row] for row in rows] if isinstance(entries, list) else entries[rows]
