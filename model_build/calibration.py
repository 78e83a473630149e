"""Fit the calibrator, which turns raw scores into confidences."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lambda_src.tagger.calibrator import Candidates, QuestionFacts, TagFacts, features
from lambda_src.tagger.rules import CALIBRATOR_FEATURES
from lambda_src.tagger.vocabulary import Floats, Ints

_PRIOR_QUESTIONS: Final = 5.0
"""The mean of all tags counts as this many questions when the worth of a name is estimated."""


class ScoredQuestion(NamedTuple):
    """A question and the tags with the best raw scores."""

    facts: QuestionFacts
    candidates: Candidates


class NameFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns what the name of each tag is worth, and computes the features of the calibrator.

    Parameters
    ----------
    log_uses : ndarray of float, shape (n_tags,)
        Natural logarithm of the number of questions that have each tag.

    Attributes
    ----------
    tag_facts_ : TagFacts
    """

    def __init__(self, log_uses: Floats) -> None:
        self.log_uses = log_uses

    def fit(self, questions: Sequence[ScoredQuestion], has_tag: sp.csr_matrix) -> Self:
        """Learn how likely a question with a tag's name in its title has the tag.

        Parameters
        ----------
        questions : sequence of ScoredQuestion
        has_tag : csr_matrix of bool, shape (n_questions, n_tags)
        """
        self.tag_facts_ = fit_tag_facts([each.facts for each in questions], has_tag, self.log_uses)
        return self

    def transform(self, questions: Sequence[ScoredQuestion]) -> list[Floats]:
        """Compute features; for each question shape (n_candidates, len(CALIBRATOR_FEATURES)).

        They are views of one large array, which goes back to the system as a whole. Memory of many
        small arrays would not.
        """
        ends = np.cumsum([len(each.candidates.tags) for each in questions])
        of_all = np.empty((ends[-1], len(CALIBRATOR_FEATURES)))
        of_each = np.split(of_all, ends[:-1])
        for place, each in zip(of_each, questions, strict=True):
            place[:] = features(each.candidates, each.facts, self.tag_facts_)
        return of_each


class Calibrator(BaseEstimator):  # type: ignore[misc]
    """One logistic regression for the candidates of all tags.

    A sample is one candidate of one question.

    Attributes
    ----------
    coef_ : ndarray of float, shape (n_features,)
        For features that are not scaled.
    intercept_ : float
    """

    def fit(self, features: Floats, is_true: npt.NDArray[np.bool_]) -> Self:
        """Fit the regression.

        Parameters
        ----------
        features : ndarray of float, shape (n_samples, n_features)
        is_true : ndarray of bool, shape (n_samples,)
            Whether the question has the tag.
        """
        scaler, regression = StandardScaler(), LogisticRegression(max_iter=1000)
        regression.fit(scaler.fit_transform(features), is_true)
        self.coef_ = regression.coef_[0] / scaler.scale_
        self.intercept_ = regression.intercept_[0] - self.coef_ @ scaler.mean_
        return self

    def decision_function(self, features: Floats) -> Floats:
        """Compute log-odds; shape (n_samples,)."""
        odds: Floats = features @ self.coef_ + self.intercept_
        return odds


def fit_tag_facts(
    facts: Sequence[QuestionFacts], has_tag: sp.csr_matrix, log_uses: Floats
) -> TagFacts:
    """Learn what the name of each tag is worth.

    Parameters
    ----------
    facts : sequence of QuestionFacts, of length n_questions
    has_tag : csr_matrix of bool, shape (n_questions, n_tags)
    log_uses : ndarray of float, shape (n_tags,)
        See `TagFacts`.
    """
    in_title = _matrix([[*each.names.title] for each in facts], has_tag.shape[1])
    lower: list[list[int]] = []
    capital: list[list[int]] = []
    for each in facts:
        # A title that does not tell names from other words counts for neither.
        capitals = each.names.capitals
        told = () if capitals is None else each.names.title
        lower.append([tag for tag in told if tag not in (capitals or ())])
        capital.append([tag for tag in told if tag in (capitals or ())])
    of_all = name_worth(in_title, has_tag)
    expected = 1 / (1 + np.exp(-of_all))
    return TagFacts(
        log_uses,
        of_all,
        lower_worth=name_worth(_matrix(lower, has_tag.shape[1]), has_tag, expected),
        capital_worth=name_worth(_matrix(capital, has_tag.shape[1]), has_tag, expected),
    )


def _matrix(tags: Sequence[Sequence[int]], n_tags: int) -> sp.csr_matrix:
    """Make a matrix with a 1 for each of these tags of each question."""
    starts = np.cumsum([0, *map(len, tags)])
    numbers = [tag for of_question in tags for tag in of_question]
    return sp.csr_matrix((np.ones(len(numbers)), numbers, starts), shape=(len(tags), n_tags))


def name_worth(
    in_title: sp.csr_matrix, has_tag: sp.csr_matrix, expected: Floats | None = None
) -> Floats:
    """Estimate the log-odds that a question has a tag if the tag's name is in the title.

    Parameters
    ----------
    in_title : csr_matrix, shape (n_questions, n_tags)
        1 where the name of a tag is in the title of a question.
    has_tag : csr_matrix of bool, shape (n_questions, n_tags)
    expected : ndarray of float, shape (n_tags,), optional
        The probability that is expected without any title; by default, that of all tags together.

    Returns
    -------
    ndarray of float, shape (n_tags,)
        For a tag whose name is in few titles, close to the log-odds of the expected probability.
    """
    n_named = np.asarray(in_title.sum(axis=0), dtype=np.float64).ravel()
    n_true = np.asarray(in_title.multiply(has_tag).sum(axis=0), dtype=np.float64).ravel()
    prior = (n_true.sum() + 1) / (n_named.sum() + 2) if expected is None else expected
    odds = (n_true + _PRIOR_QUESTIONS * prior) / (n_named - n_true + _PRIOR_QUESTIONS * (1 - prior))
    log_odds: Floats = np.log(odds)
    return log_odds


def are_true(has_tag: sp.csr_matrix, tags: Sequence[Ints]) -> npt.NDArray[np.bool_]:
    """Look up whether questions have some tags.

    Parameters
    ----------
    has_tag : csr_matrix of bool, shape (n_questions, n_tags)
    tags : sequence of ndarray of int, of length n_questions
        The tags to look up for each question.

    Returns
    -------
    ndarray of bool, shape (n_samples,)
        For the tags of the first question, then those of the second, and so on.
    """
    rows = np.repeat(np.arange(len(tags)), [len(each) for each in tags])
    return np.asarray(has_tag[rows, np.concatenate(tags)], dtype=np.bool_).ravel()
