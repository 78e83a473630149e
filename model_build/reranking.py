"""Fit the re-ranker: how often tags occur together, and the network that weighs it."""

import warnings
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from lambda_src.tagger.calibrator import QuestionFacts, confidences
from lambda_src.tagger.reranker import (
    CoOccurrence,
    CorpusFacts,
    Network,
    PairCounts,
    Shortlist,
    inputs,
)
from lambda_src.tagger.rules import N_HIDDEN_UNITS, N_QUESTION_FORMS
from lambda_src.tagger.vocabulary import Floats
from model_build.calibration import are_true, fit_tag_facts

_PRIOR_QUESTIONS: Final = 5
"""Each record of a tag starts with this many questions in which the calibrator was right."""
_BATCH_SIZE: Final = 500
_PHASES: Final = ((2e-3, 0.6), (4e-4, 0.2), (1e-4, 0.2))
"""The learning rate of each phase, and its share of the epochs."""
_MIN_EPOCHS: Final = 10
_MAX_EPOCHS: Final = 100
_MIN_STEPS: Final = 5_000
"""A small corpus gets more epochs, so that training has about this many steps."""


class ShortlistedQuestion(NamedTuple):
    """A question and the tags that the calibrator finds most likely."""

    facts: QuestionFacts
    shortlist: Shortlist
    is_copy: bool = False
    """Whether it is a copy of another question; see `model_build.code_copies`."""


class RerankerInputs(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learns which tags occur together and how reliable each one is; computes network inputs.

    Parameters
    ----------
    log_uses : ndarray of float, shape (n_tags,)
        Natural logarithm of the number of questions that have each tag.
    tag_sets : csr_matrix of bool, shape (n_sets, n_tags), optional
        The tags of questions whose text is not known: they, too, say which tags occur together.

    Attributes
    ----------
    tag_facts_ : TagFacts
    records_ : ndarray of float, shape (N_QUESTION_FORMS, n_tags)
        See `tag_records`.
    pairs_ : PairCounts
    """

    def __init__(self, log_uses: Floats, tag_sets: sp.csr_matrix | None = None) -> None:
        self.log_uses = log_uses
        self.tag_sets = tag_sets

    def fit(self, questions: Sequence[ShortlistedQuestion], has_tag: sp.csr_matrix) -> Self:
        """Count pairs of tags, and compare the calibrator's confidences with the true tags.

        Parameters
        ----------
        questions : sequence of ShortlistedQuestion
        has_tag : csr_matrix of bool, shape (n_questions, n_tags)
        """
        self.tag_facts_ = fit_tag_facts([each.facts for each in questions], has_tag, self.log_uses)
        self.records_ = tag_records(questions, has_tag)
        counted = has_tag[[not each.is_copy for each in questions]]
        if self.tag_sets is not None:
            counted = sp.vstack([counted, self.tag_sets], format="csr")
        self.pairs_ = count_pairs(counted)
        return self

    def transform(self, questions: Sequence[ShortlistedQuestion]) -> list[Floats]:
        """Compute inputs; for each question shape (n_shortlisted, len(RERANKER_INPUTS))."""
        pairs = CoOccurrence(self.pairs_, len(self.log_uses))
        corpus = CorpusFacts(self.tag_facts_, self.records_, pairs)
        return [inputs(each.shortlist, each.facts, corpus) for each in questions]


class Reranker(BaseEstimator):  # type: ignore[misc]
    """The network that weighs the inputs, fitted by Adam with falling learning rates.

    A sample is one shortlisted tag of one question.

    Parameters
    ----------
    random_state : int

    Attributes
    ----------
    network_ : Network
        For inputs that are not scaled.
    """

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, inputs: Floats, is_true: npt.NDArray[np.bool_]) -> Self:
        """Fit the network.

        Parameters
        ----------
        inputs : ndarray of float, shape (n_samples, len(RERANKER_INPUTS))
        is_true : ndarray of bool, shape (n_samples,)
            Whether the question has the tag.
        """
        scaler = StandardScaler()
        scaled = scaler.fit_transform(inputs).astype(np.float32)
        batch_size = min(_BATCH_SIZE, len(is_true))
        epochs = np.clip(_MIN_STEPS * batch_size // len(is_true), _MIN_EPOCHS, _MAX_EPOCHS)
        network = MLPClassifier(
            (N_HIDDEN_UNITS,),
            alpha=1e-3,
            batch_size=batch_size,
            warm_start=True,
            random_state=self.random_state,
        )
        # With one thread, sums have the same order, and bundles the same bytes, on every machine.
        with threadpool_limits(1), warnings.catch_warnings():
            # Each phase ends after its epochs, before it converges.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for rate, share in _PHASES:
                network.set_params(learning_rate_init=rate, max_iter=round(share * epochs))
                network.fit(scaled, is_true)
        hidden, output = network.coefs_
        hidden_intercepts, output_intercept = network.intercepts_
        unscaled = hidden / scaler.scale_[:, None]
        intercepts = hidden_intercepts - scaler.mean_ @ unscaled
        self.network_ = Network(
            np.vstack([unscaled, intercepts]).astype(np.float64),
            np.append(output[:, 0], output_intercept).astype(np.float64),
        )
        return self

    def decision_function(self, inputs: Floats) -> Floats:
        """Compute log-odds; shape (n_samples,)."""
        return self.network_.odds(inputs)


def count_pairs(has_tag: sp.csr_matrix) -> PairCounts:
    """Count the questions that have both tags of a pair.

    Parameters
    ----------
    has_tag : csr_matrix of bool, shape (n_questions, n_tags)
    """
    n_questions, n_tags = has_tag.shape
    numbers = has_tag.astype(np.int64)
    together = sp.triu(numbers.T @ numbers).tocsr()
    together.sort_indices()
    together = together.tocoo()
    keys = together.row.astype(np.int64) * n_tags + together.col
    return PairCounts(keys, together.data.astype(np.intp), n_questions)


def tag_records(questions: Sequence[ShortlistedQuestion], has_tag: sp.csr_matrix) -> Floats:
    """Compare how often each shortlisted tag was true with how often it was expected to be.

    Parameters
    ----------
    questions : sequence of ShortlistedQuestion, of length n_questions
    has_tag : csr_matrix of bool, shape (n_questions, n_tags)

    Returns
    -------
    ndarray of float, shape (N_QUESTION_FORMS, n_tags)
        For questions of each form, the logarithm of the ratio: 0 where both are equal, and close to
        0 for a tag that is rare in such questions.
    """
    n_tags = has_tag.shape[1]
    tags = np.concatenate([each.shortlist.tags for each in questions])
    odds = np.concatenate([each.shortlist.odds for each in questions])
    forms = np.repeat(
        [each.facts.form for each in questions], [len(each.shortlist.tags) for each in questions]
    )
    # A place for each form and tag, as in the result.
    places, n_places = forms * n_tags + tags, N_QUESTION_FORMS * n_tags
    expected = np.bincount(places, confidences(odds), n_places)
    is_true = are_true(has_tag, [each.shortlist.tags for each in questions])
    true = np.bincount(places, is_true, n_places)
    log_ratio: Floats = np.log((true + _PRIOR_QUESTIONS) / (expected + _PRIOR_QUESTIONS))
    return log_ratio.reshape(N_QUESTION_FORMS, n_tags)
