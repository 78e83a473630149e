"""Tell texts that are no question about any tag from questions."""

from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.cross_fitting import cross_fit


class OffTopicRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One logistic regression: off-topic texts against questions.

    The regressions of the tags hardly learn from off-topic texts, because these are few and not
    similar to the questions of any tag. A regression of their own finds their words.

    Parameters
    ----------
    balance : float
        An off-topic text weighs (other texts / off-topic texts) to this power.
    seed : int

    Attributes
    ----------
    coef_ : ndarray of float, shape (n_terms,)
        0 if there were no off-topic texts, and so is `intercept_`.
    intercept_ : float
    """

    def __init__(self, *, balance: float = 0.5, seed: int = 0) -> None:
        self.balance = balance
        self.seed = seed

    def fit(self, matrix: sp.csr_matrix, is_off_topic: npt.NDArray[np.bool_]) -> Self:
        """Fit the regression.

        Parameters
        ----------
        matrix : csr_matrix of float, shape (n_texts, n_terms)
        is_off_topic : ndarray of bool, shape (n_texts,)
        """
        n_off_topic = int(is_off_topic.sum())
        self.coef_, self.intercept_ = np.zeros(matrix.shape[1]), 0.0
        if not 0 < n_off_topic < len(is_off_topic):
            return self
        weight = ((len(is_off_topic) - n_off_topic) / n_off_topic) ** self.balance
        regression = LogisticRegression(
            solver="liblinear", dual=True, tol=0.01, random_state=self.seed
        )
        regression.fit(matrix, is_off_topic, sample_weight=np.where(is_off_topic, weight, 1.0))
        self.coef_, self.intercept_ = regression.coef_[0], float(regression.intercept_[0])
        return self

    def decision_function(self, matrix: sp.csr_matrix) -> Floats:
        """Compute log-odds; shape (n_texts,)."""
        odds: Floats = matrix @ self.coef_ + self.intercept_
        return odds


def fit_off_topic(
    matrix: sp.csr_matrix, is_off_topic: npt.NDArray[np.bool_], folds: Ints, seed: int
) -> tuple[OffTopicRegression, Floats]:
    """Fit the regression, and score each text by a regression that has not seen its fold.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n_texts, n_terms)
    is_off_topic : ndarray of bool, shape (n_texts,)
    folds : ndarray of int, shape (n_texts,)
    seed : int

    Returns
    -------
    regression : OffTopicRegression
    scores : ndarray of float, shape (n_texts,)
        Log-odds.
    """
    regression = OffTopicRegression(seed=seed)
    if not all(is_off_topic[folds != fold].any() for fold in np.unique(folds)):
        # Too few: in one fold, all texts would seem to be less off topic than in the others.
        is_off_topic = np.zeros_like(is_off_topic)
    scores: list[float] = cross_fit(
        regression,
        matrix,
        is_off_topic,
        folds,
        lambda fitted, of_fold: fitted.decision_function(of_fold).tolist(),
    )
    return regression.fit(matrix, is_off_topic), np.array(scores)
