"""One logistic regression per tag, as one estimator of scikit-learn."""

import warnings
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from model_build.cluster import sent_once
from model_build.truth import Truth

Floats32 = npt.NDArray[np.float32]

_BLOCK_TAGS: Final = 16
"""How many regressions a process fits at a time: few enough for a small array of similarities, and
enough for the cost of a task to be small."""
_BLOCK_ROWS: Final = 20_000
"""How many questions are compared with the tags of a block at a time."""


class TagRegressions(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One logistic regression per tag.

    A regression is fitted on a sample of the questions: all those with the tag, those without it
    that are most similar to them, and some random ones that stand for all others.

    Parameters
    ----------
    inverse_regularization, tolerance : float
        ``C`` and ``tol`` of scikit-learn's `LogisticRegression`.
    balance, prune : float
        See `model_build.training.TrainingOptions`.
    n_similar, n_random : int
        See `model_build.training.TrainingOptions`.
    jobs : int
        Number of processes; -1 for one per processor.
    seed : int

    Attributes
    ----------
    coef_ : csr_matrix of float32, shape (n_tags, n_terms)
    intercept_ : ndarray of float64, shape (n_tags,)
    classes_ : ndarray of int, shape (n_tags,)
        The numbers of the tags.
    """

    def __init__(
        self,
        *,
        inverse_regularization: float = 1.5,
        tolerance: float = 0.1,
        balance: float = 0.75,
        prune: float = 0.0,
        n_similar: int = 3000,
        n_random: int = 3000,
        jobs: int = -1,
        seed: int = 0,
    ) -> None:
        self.inverse_regularization = inverse_regularization
        self.tolerance = tolerance
        self.balance = balance
        self.prune = prune
        self.n_similar = n_similar
        self.n_random = n_random
        self.jobs = jobs
        self.seed = seed

    def fit(self, matrix: sp.csr_matrix, truth: Truth) -> Self:
        """Fit the regressions of all tags.

        Parameters
        ----------
        matrix : csr_matrix of float, shape (n_questions, n_terms)
        truth : Truth
            The true tags of the same questions.
        """
        n_tags = truth.has_tag.shape[1]
        min_weights = self._min_weights(matrix)
        blocks = [
            range(start, min(start + _BLOCK_TAGS, n_tags))
            for start in range(0, n_tags, _BLOCK_TAGS)
        ]
        tasks = (delayed(self._fit_block)(matrix, truth, block, min_weights) for block in blocks)
        coefficients, intercepts = [], []
        with (
            sent_once(matrix, truth, min_weights),
            tqdm(total=n_tags, desc="regressions", unit="tag", disable=None) as bar,
        ):
            # Processes, not threads: liblinear has one random generator per process, and the same
            # seed must give the same model.
            fitted = Parallel(n_jobs=self.jobs, return_as="generator", mmap_mode="c")(tasks)
            for of_block, of_intercepts in fitted:
                coefficients.append(of_block)
                intercepts += of_intercepts
                bar.update(len(of_intercepts))
        self.coef_ = sp.vstack(coefficients, format="csr")
        self.intercept_ = np.array(intercepts)
        self.classes_ = np.arange(n_tags)
        return self

    def _fit_block(
        self,
        matrix: sp.csr_matrix,
        truth: Truth,
        tags: range,
        min_weights: Floats32,
    ) -> tuple[sp.csr_matrix, list[float]]:
        """Fit the regressions of some tags; the processes of `fit` run this.

        The samples of a block are drawn here, because a process of its own would otherwise wait
        for them, and a dense array of all questions and tags would fill the memory.
        """
        similarities = _similarities(matrix, _mean_questions(matrix, truth, tags))
        fitted = [
            self._fit_tag(matrix, self._sample(truth, tag, of_tag), min_weights)
            for tag, of_tag in zip(tags, similarities, strict=True)
        ]
        weights, intercepts = zip(*fitted, strict=True)
        return sp.vstack(weights, format="csr"), list(intercepts)

    def _sample(self, truth: Truth, tag: int, similarities: Floats32) -> "_Sample":
        """Choose the questions that a tag's regression is fitted on."""
        can_judge, present = truth.can_judge(tag), truth.present(tag)
        with_tag = np.flatnonzero(present & can_judge)
        without = np.flatnonzero(~present & can_judge)
        n_similar = max(self.n_similar, 8 * len(with_tag))
        if n_similar + self.n_random >= 0.8 * len(without):
            similar, others = without, without[:0]
        else:
            order = np.argpartition(-similarities[without], n_similar)
            similar = without[np.sort(order[:n_similar])]
            random = np.random.default_rng([self.seed, tag])
            others = np.sort(
                random.choice(without[np.sort(order[n_similar:])], self.n_random, replace=False)
            )
        sizes = [len(with_tag), len(similar), len(others)]
        balance = (len(without) / max(len(with_tag), 1)) ** self.balance
        other_weight = (len(without) - len(similar)) / max(len(others), 1)
        return _Sample(
            np.concatenate([with_tag, similar, others]),
            np.repeat([True, False, False], sizes),
            np.repeat([balance, 1.0, other_weight], sizes),
        )

    def _min_weights(self, matrix: sp.csr_matrix) -> Floats32:
        """Compute how large a weight of each term must be to be kept; shape (n_terms,)."""
        n_questions = np.bincount(matrix.indices, minlength=matrix.shape[1])
        sums = np.bincount(matrix.indices, matrix.data, matrix.shape[1])
        mean = sums / np.maximum(n_questions, 1)
        worth = mean * (n_questions / matrix.shape[0]) ** 0.25
        min_weights: Floats32 = (self.prune / np.maximum(worth, 1e-9)).astype(np.float32)
        return min_weights

    def _fit_tag(
        self, matrix: sp.csr_matrix, sample: "_Sample", min_weights: Floats32
    ) -> tuple[sp.csr_matrix, float]:
        n_with = int(sample.present.sum())
        n_without = len(sample.rows) - n_with
        if not n_with or not n_without:
            # There is nothing to separate: the score is the log-odds of the tag.
            no_weights = sp.csr_matrix((1, matrix.shape[1]), dtype=np.float32)
            return no_weights, float(np.log((n_with + 1) / (n_without + 1)))
        regression = LogisticRegression(
            solver="liblinear",
            dual=True,
            C=self.inverse_regularization,
            tol=self.tolerance,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            # A few common tags do not reach the tolerance in liblinear's 100 iterations.
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(matrix[sample.rows], sample.present, sample_weight=sample.weights)
        weights = regression.coef_.astype(np.float32)
        weights[np.abs(weights) < min_weights] = 0
        return sp.csr_matrix(weights), float(regression.intercept_[0])

    def decision_function(self, matrix: sp.csr_matrix) -> npt.NDArray[np.float64]:
        """Compute raw scores.

        Parameters
        ----------
        matrix : csr_matrix of float, shape (n_questions, n_terms)

        Returns
        -------
        ndarray of float64, shape (n_questions, n_tags)
            Log-odds.
        """
        scores: npt.NDArray[np.float64] = (matrix @ self.coef_.T).toarray()
        scores += self.intercept_
        return scores


class _Sample(NamedTuple):
    """The questions that one regression is fitted on; shape (n_sampled,) each."""

    rows: npt.NDArray[np.intp]
    present: npt.NDArray[np.bool_]
    """Whether the question has the tag."""
    weights: npt.NDArray[np.float64]


def _mean_questions(matrix: sp.csr_matrix, truth: Truth, tags: range) -> Floats32:
    """Compute the mean question of each of some tags; shape (n_terms, len(tags))."""
    has_tag = truth.has_tag[:, tags.start : tags.stop]
    n_uses = np.maximum(np.asarray(has_tag.sum(axis=0)).ravel(), 1)
    rows = np.unique(has_tag.indices)
    sums = has_tag.tocsr()[rows].T.astype(np.float32) @ matrix[rows].astype(np.float32)
    means: Floats32 = (sp.diags((1 / n_uses).astype(np.float32)) @ sums).T.toarray()
    return means


def _similarities(matrix: sp.csr_matrix, means: Floats32) -> Floats32:
    """Compute how similar each question is to the mean question of each tag.

    Parameters
    ----------
    matrix : csr_matrix of float, shape (n_questions, n_terms)
    means : ndarray of float32, shape (n_terms, n_tags)

    Returns
    -------
    ndarray of float32, shape (n_tags, n_questions)
    """
    found = np.empty((means.shape[1], matrix.shape[0]), dtype=np.float32)
    # Row by row block: each process would otherwise hold a copy of the whole matrix in 32 bits.
    for start in range(0, matrix.shape[0], _BLOCK_ROWS):
        rows = matrix[start : start + _BLOCK_ROWS].astype(np.float32)
        found[:, start : start + rows.shape[0]] = (rows @ means).T
    return found
