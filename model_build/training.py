"""Fit one logistic regression per tag."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from tqdm import tqdm

from model_build.features import fit_tfidf, words_of
from model_build.questions import Question


@dataclass(frozen=True)
class TrainingOptions:
    """What an engineer may choose."""

    min_tag_count: int = 20
    """Tags with fewer uses are left out."""
    min_term_count: int = 2
    """Terms that stand in fewer questions are left out."""
    field_weights: Mapping[str, float] = field(
        default_factory=lambda: {"title": 1.0, "prose": 1.0, "code": 0.5}
    )
    inverse_regularization: float = 10.0
    tolerance: float = 0.1
    """At which the solver stops, in scikit-learn's terms."""
    jobs: int = -1
    seed: int = 0


class NotEnoughQuestionsError(ValueError):
    """The corpus has too few questions to train on: the message says which are missing."""


class TagRegressions(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One logistic regression per tag, each fitted on the questions that can judge its tag.

    Parameters
    ----------
    inverse_regularization, tolerance : float
        As ``C`` and ``tol`` of scikit-learn's `LogisticRegression`.
    jobs : int
        Processes, as joblib counts them.
    seed : int

    Attributes
    ----------
    coef_ : ndarray of float64, shape (n_tags, n_terms)
    intercept_ : ndarray of float64, shape (n_tags,)
    """

    def __init__(
        self,
        inverse_regularization: float = 10.0,
        tolerance: float = 0.1,
        jobs: int = -1,
        seed: int = 0,
    ) -> None:
        self.inverse_regularization = inverse_regularization
        self.tolerance = tolerance
        self.jobs = jobs
        self.seed = seed

    def fit(
        self,
        matrix: sp.csr_matrix,
        truth: sp.csc_matrix,
        judged: npt.NDArray[np.bool_] | None = None,
        complete_tags: npt.NDArray[np.bool_] | None = None,
    ) -> "TagRegressions":
        """Fit all tags.

        Parameters
        ----------
        matrix : csr_matrix, shape (n_questions, n_terms)
        truth : csc_matrix of bool, shape (n_questions, n_tags)
        judged : ndarray of bool, shape (n_questions,), optional
            Questions whose tags are complete.
        complete_tags : ndarray of bool, shape (n_tags,), optional
            Tags for which the other questions count too.
        """
        n_tags = truth.shape[1]
        everywhere = np.ones(n_tags, bool) if complete_tags is None else complete_tags
        rows = None if judged is None or judged.all() else np.flatnonzero(judged)
        judged_matrix = matrix if rows is None else matrix[rows]
        tasks = (
            delayed(self._fit_tag)(matrix, _present(truth, tag))
            if everywhere[tag] or rows is None
            else delayed(self._fit_tag)(judged_matrix, _present(truth, tag)[rows])
            for tag in range(n_tags)
        )
        # Processes, not threads: liblinear draws from one random generator per process, and the
        # same seed is to give the same model.
        fitted = Parallel(n_jobs=self.jobs, return_as="generator", mmap_mode="c")(tasks)
        self.coef_ = np.zeros((n_tags, matrix.shape[1]))
        self.intercept_ = np.zeros(n_tags)
        self.classes_ = np.arange(n_tags)
        for tag, (coefficients, intercept) in enumerate(
            tqdm(fitted, total=n_tags, desc="tags", unit="tag", disable=None)
        ):
            self.coef_[tag] = coefficients
            self.intercept_[tag] = intercept
        return self

    def _fit_tag(
        self, matrix: sp.csr_matrix, present: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.float64], float]:
        if present.all() or not present.any():  # nothing to tell apart: the odds alone
            return np.zeros(matrix.shape[1]), float(
                np.log((present.sum() + 1) / ((~present).sum() + 1))
            )
        regression = LogisticRegression(
            solver="liblinear",
            dual=True,
            C=self.inverse_regularization,
            tol=self.tolerance,
            random_state=self.seed,
        )
        regression.fit(matrix, present)
        return regression.coef_[0], float(regression.intercept_[0])

    def decision_function(self, matrix: sp.csr_matrix) -> npt.NDArray[np.float64]:
        """Give raw scores; shape (n_questions, n_tags)."""
        scores: npt.NDArray[np.float64] = matrix @ self.coef_.T + self.intercept_
        return scores


def _present(truth: sp.csc_matrix, tag: int) -> npt.NDArray[np.bool_]:
    present: npt.NDArray[np.bool_] = truth[:, [tag]].toarray().ravel()
    return present


@dataclass(frozen=True)
class FittedTagger:
    """What training gives: the parts of a bundle, still in scikit-learn's hands."""

    tfidf: FeatureUnion
    regressions: TagRegressions
    tags: list[tuple[str, int]]
    """Tag and uses, commonest first, in the order of the regressions."""
    options: TrainingOptions
    n_questions: int


def choose_tags(questions: Sequence[Question], min_tag_count: int) -> list[tuple[str, int]]:
    """List the tags with enough uses and how many they have, commonest first."""
    counts = Counter(tag for question in questions for tag in question.tags)
    often = [(tag, count) for tag, count in counts.items() if count >= min_tag_count]
    return sorted(often, key=lambda each: (-each[1], each[0]))


def truth_matrix(questions: Sequence[Question], tags: Sequence[str]) -> sp.csc_matrix:
    """Mark which question has which tag; bool, shape (n_questions, n_tags)."""
    place = {tag: number for number, tag in enumerate(tags)}
    marks = [
        (row, place[tag])
        for row, question in enumerate(questions)
        for tag in question.tags
        if tag in place
    ]
    rows, columns = np.array(marks, dtype=np.intp).reshape(-1, 2).T
    shape = (len(questions), len(tags))
    return sp.csc_matrix((np.ones(len(marks), dtype=bool), (rows, columns)), shape=shape)


def fit(questions: Sequence[Question], options: TrainingOptions) -> FittedTagger:
    """Fit TF-IDF and the regressions on a corpus.

    Raises
    ------
    NotEnoughQuestionsError
        No tag has enough uses, or no term stands in enough questions.
    """
    tags = choose_tags(questions, options.min_tag_count)
    if not tags:
        raise NotEnoughQuestionsError(
            f"no tag has {options.min_tag_count} uses in these {len(questions)} questions: "
            "name more files, or lower --min-tag-count"
        )
    names = [tag for tag, _ in tags]
    try:
        tfidf, matrix = fit_tfidf(
            words_of(tqdm(questions, desc="words", unit="question", disable=None)),
            options.field_weights,
            options.min_term_count,
        )
    except ValueError as error:
        raise NotEnoughQuestionsError(str(error)) from error
    judged = np.array([question.judged_tags is None for question in questions])
    partial = [question.judged_tags for question in questions if question.judged_tags is not None]
    everywhere = frozenset.intersection(*partial) if partial else frozenset()
    regressions = TagRegressions(
        options.inverse_regularization, options.tolerance, options.jobs, options.seed
    ).fit(
        matrix,
        truth_matrix(questions, names),
        judged,
        np.array([tag in everywhere for tag in names]),
    )
    return FittedTagger(tfidf, regressions, tags, options, len(questions))
