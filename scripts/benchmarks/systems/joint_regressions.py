"""The logistic regressions of all tags at once, for thousands of tags on dense features.

scikit-learn fits them one after the other, and reads the whole matrix hundreds of times for each
tag. The regressions are independent, so a step for all of them is one product of matrices.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from tqdm import tqdm

_BATCH_ROWS = 2_048
_EPOCHS = 40
_MIN_STEPS = 800
_STEP_SIZE = 0.3
_DECAYS = (0.9, 0.999)

Floats = npt.NDArray[np.float32]


class JointLogisticRegressions(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Minimizes the loss of scikit-learn's ``LogisticRegression(C)`` for every tag.

    The method is Adam (Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization") with a
    step size that falls to zero along a cosine (Loshchilov and Hutter 2017, "SGDR").

    Parameters
    ----------
    regularization : float
        scikit-learn's ``C``: how much the loss counts, compared with the squared weights.
    """

    def __init__(self, regularization: float = 1.0) -> None:
        self.regularization = regularization

    def fit(self, vectors: Floats, marks: sp.csr_matrix) -> Self:
        """Fit one regression per column of `marks`.

        Parameters
        ----------
        vectors : ndarray of float32, shape (n_questions, n_features)
        marks : csr_matrix, shape (n_questions, n_tags)
            The tags of each question as 0 and 1.
        """
        n_rows, n_features = vectors.shape
        n_tags = marks.shape[1]
        # The last row is the intercept, which is not regularized.
        features = np.hstack([vectors, np.ones((n_rows, 1), dtype=np.float32)])
        weights = np.zeros((n_features + 1, n_tags), dtype=np.float32)
        rates = (np.asarray(marks.sum(axis=0)).ravel() + 0.5) / (n_rows + 1)
        weights[-1] = np.log(rates / (1 - rates))
        mean, square = np.zeros_like(weights), np.zeros_like(weights)
        penalty = np.float32(1 / (self.regularization * n_rows))

        random = np.random.default_rng(0)
        n_batches = -(-n_rows // _BATCH_ROWS)
        n_epochs = max(_EPOCHS, -(-_MIN_STEPS // n_batches))
        step, n_steps = 0, n_epochs * n_batches
        for _ in tqdm(range(n_epochs), desc="regressions", unit="epoch", disable=None):
            for batch in np.array_split(random.permutation(n_rows), n_batches):
                step += 1
                part = features[batch]
                errors = _sigmoid(part @ weights)
                errors -= marks[batch].toarray()
                gradient = part.T @ errors / np.float32(len(batch))
                gradient[:-1] += penalty * weights[:-1]
                mean += (1 - _DECAYS[0]) * (gradient - mean)
                square += (1 - _DECAYS[1]) * (gradient**2 - square)
                size = _STEP_SIZE * (1 + np.cos(np.pi * step / n_steps)) / 2
                corrected = np.sqrt(square / (1 - _DECAYS[1] ** step))
                weights -= np.float32(size / (1 - _DECAYS[0] ** step)) * mean / (corrected + 1e-12)
        self.weights_ = weights
        return self

    def predict_proba(self, vectors: Floats) -> Floats:
        """Return the probability of each tag; shape (n_questions, n_tags)."""
        return _sigmoid(vectors @ self.weights_[:-1] + self.weights_[-1])


def _sigmoid(scores: Floats) -> Floats:
    np.clip(scores, -60, 60, out=scores)
    np.negative(scores, out=scores)
    np.exp(scores, out=scores)
    scores += 1
    return np.reciprocal(scores, out=scores)
