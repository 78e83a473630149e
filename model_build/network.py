"""Fit the re-ranker: pairs of tags, records of tags, and the network that weighs them."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lambda_src.tagger.calibrator import confidences
from lambda_src.tagger.reranker import Network, PairCounts, Shortlist
from lambda_src.tagger.rules import N_HIDDEN_UNITS
from lambda_src.tagger.vocabulary import Floats
from model_build.truth import Marks

_BATCH: Final = 500
_PHASES: Final = ((2e-3, 0.6), (4e-4, 0.2), (1e-4, 0.2))
"""Learning rates, falling, and each one's share of the epochs."""
_LEAST_EPOCHS: Final = 10
_MOST_EPOCHS: Final = 100
_STEPS: Final = 5_000
"""A small corpus is gone through more often, to come to so many steps."""


def count_pairs(marks: sp.csr_matrix) -> PairCounts:
    """Count in how many questions two tags meet.

    Parameters
    ----------
    marks : csr_matrix, shape (n_questions, n_tags)
    """
    counted = marks.astype(np.int64)
    together = sp.triu(counted.T @ counted).tocsr()
    together.sort_indices()
    together = together.tocoo()
    keys = together.row.astype(np.int64) * marks.shape[1] + together.col
    return PairCounts(keys, together.data.astype(np.intp), marks.shape[0])


def records(shortlists: Sequence[Shortlist], right: Sequence[Marks], n_tags: int) -> Floats:
    """Compare how often each tag was true, where it was a candidate, with what was expected.

    Returns
    -------
    ndarray of float, shape (n_tags,)
        Log of the ratio, shrunk to 0 by five questions in which the two agree.
    """
    tags = np.concatenate([each.tags for each in shortlists])
    expected = np.bincount(tags, confidences(np.concatenate([e.odds for e in shortlists])), n_tags)
    true = np.bincount(tags, np.concatenate(right), n_tags)
    log_ratio: Floats = np.log((true + 5) / (expected + 5))
    return log_ratio


def fit_network(described: Sequence[Floats], right: Sequence[Marks], seed: int) -> Network:
    """Fit the network by Adam on batches, with falling learning rates.

    Parameters
    ----------
    described : sequence of ndarray, shape (n_shortlisted, len(RERANKER_INPUTS)) each
        Of every question, as `lambda_src.tagger.reranker.inputs` gives them.
    right : sequence of ndarray of bool, shape (n_shortlisted,) each
    seed : int
    """
    scaler = StandardScaler()
    matrix = scaler.fit_transform(np.concatenate(described))
    matrix, true = matrix.astype(np.float32), np.concatenate(right)
    batch = min(_BATCH, len(true))
    epochs = np.clip(_STEPS * batch // len(true), _LEAST_EPOCHS, _MOST_EPOCHS)
    network = MLPClassifier(
        (N_HIDDEN_UNITS,), alpha=1e-3, batch_size=batch, warm_start=True, random_state=seed
    )
    # One thread: sums in the same order on every machine, for the same bundle byte for byte.
    with threadpool_limits(1), warnings.catch_warnings():
        # It is stopped on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for rate, share in _PHASES:
            network.set_params(learning_rate_init=rate, max_iter=round(share * epochs))
            network.fit(matrix, true)
    (hidden, output), (hidden_intercepts, output_intercept) = network.coefs_, network.intercepts_
    unscaled = hidden / scaler.scale_[:, None]
    intercepts = hidden_intercepts - scaler.mean_ @ unscaled
    return Network(
        np.vstack([unscaled, intercepts]).astype(np.float64),
        np.append(output[:, 0], output_intercept).astype(np.float64),
    )
