"""Learn, from scores of questions a model has not seen, what its scores are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from lambda_src.tagger.analyzer import QuestionTokens
from lambda_src.tagger.calibrator import (
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.names import NameCounts
from lambda_src.tagger.reranker import (
    CoOccurrence,
    CorpusFacts,
    Network,
    PairCounts,
    inputs,
    shortlist,
)
from lambda_src.tagger.rules import CALIBRATOR_FEATURES
from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.card import Ranked
from model_build.lexicon import Lexicon
from model_build.network import count_pairs, fit_network, records
from model_build.truth import Marks, Truth

UNANSWERED_SHARE = 0.01
"""Of the corpus's questions this share, the least sure, is below the floor."""


@dataclass(frozen=True)
class Calibration:
    """What turns scores into confidences and confidences into a set of tags."""

    weights: Floats
    """Shape (len(CALIBRATOR_FEATURES) + 1,): those of the features, and the intercept."""
    facts: TagFacts
    records: Floats
    """Shape (n_tags,): see `lambda_src.tagger.reranker.CorpusFacts`."""
    pairs: PairCounts
    network: Network
    other_tags: float
    """Mean number of true tags that are not among the shortlisted ones."""
    floor: float
    """Where the best tag is less sure than this, nothing is suggested."""
    ranked: list[Ranked]
    """Of the questions whose tags are complete: what is said of scores out of fold."""


def calibrate(
    scores: npt.NDArray[np.floating],
    *,
    folds: Ints,
    rows: Ints,
    tokens: Sequence[QuestionTokens],
    truth: Truth,
    n_true: npt.NDArray[np.intp],
    lexicon: Lexicon,
    title_weight: int,
    seed: int,
) -> Calibration:
    """Fit the calibrator and the network that ranks again.

    What a question is described by, beyond its scores, is counted in the other folds: what a name
    is worth must not be learnt from the question that it is asked of.

    Parameters
    ----------
    scores : ndarray of float, shape (n_questions, n_tags)
        Out of fold: each by a model that was trained without the question's fold.
    folds : ndarray of int, shape (n_questions,)
    rows : ndarray of int, shape (n_judged,)
        Questions whose tags are complete.
    tokens : sequence of QuestionTokens, of length n_questions
    truth : Truth
        Of all questions.
    n_true : ndarray of int, shape (n_questions,)
        True tags of each question, also those that the model does not know.
    lexicon : Lexicon
    title_weight : int
    seed : int
        Of the network.
    """
    names = _count_names(tokens, rows, lexicon, title_weight)
    marks = truth.marks.tocsr()[rows]
    in_title = _in_titles(names, marks.shape[1])
    log_uses = np.log(np.asarray(truth.marks.sum(axis=0)).ravel())
    questions = [
        QuestionFacts(count, len(tokens[row].title), len(tokens[row].prose))
        for row, count in zip(rows, names, strict=True)
    ]
    candidates = [best_candidates(scores[row].astype(np.float64)) for row in rows]
    parted = _parted(folds[rows])
    facts = [TagFacts(log_uses, name_worth(in_title[seen], marks[seen])) for _, seen in parted]

    described: list[Floats] = [np.empty(0)] * len(rows)
    for (unseen, _), known in zip(parted, facts, strict=True):
        for place in unseen:
            described[place] = features(candidates[place], questions[place], known)
    weights = _fit_regression(described, _present(marks, [each.tags for each in candidates]))
    shortlists = [
        shortlist(each, of_it @ weights[:-1] + weights[-1])
        for each, of_it in zip(candidates, described, strict=True)
    ]
    right = _present(marks, [each.tags for each in shortlists])
    told: list[Floats] = [np.empty(0)] * len(rows)
    for (unseen, seen), known in zip(parted, facts, strict=True):
        record = records([shortlists[n] for n in seen], [right[n] for n in seen], marks.shape[1])
        corpus = CorpusFacts(known, record, CoOccurrence(count_pairs(marks[seen]), marks.shape[1]))
        for place in unseen:
            told[place] = inputs(shortlists[place], questions[place], corpus)
    network = fit_network(told, right, seed)

    ranked = [
        _ranked(listed.tags, confidences(network.odds(each)))
        for listed, each in zip(shortlists, told, strict=True)
    ]
    missed = n_true[rows] - [int(each.sum()) for each in right]
    return Calibration(
        weights,
        TagFacts(log_uses, name_worth(in_title, marks)),
        records(shortlists, right, marks.shape[1]),
        count_pairs(marks),
        network,
        float(missed.mean()),
        float(np.quantile([sure[0] for _, sure in ranked], UNANSWERED_SHARE)),
        ranked,
    )


def _parted(folds: Ints) -> list[tuple[list[int], list[int]]]:
    """Give each fold's places, and those of all other folds."""
    return [
        (np.flatnonzero(folds == fold).tolist(), np.flatnonzero(folds != fold).tolist())
        for fold in np.unique(folds)
    ]


def _ranked(tags: Ints, sure: Floats) -> Ranked:
    order = np.argsort(-sure, kind="stable")
    return Ranked(tags[order], sure[order])


def _count_names(
    tokens: Sequence[QuestionTokens], rows: Ints, lexicon: Lexicon, title_weight: int
) -> list[NameCounts]:
    vocabulary = lexicon.vocabulary(title_weight)
    tag_names = lexicon.tag_names(vocabulary)
    questions = tqdm(rows, desc="calibration", unit="question", disable=None)
    return [tag_names.count(vocabulary.find(vocabulary.number(tokens[row]))) for row in questions]


def _in_titles(names: Sequence[NameCounts], n_tags: int) -> sp.csr_matrix:
    tags = [tag for each in names for tag in each.title]
    starts = np.cumsum([0, *(len(each.title) for each in names)])
    return sp.csr_matrix((np.ones(len(tags)), tags, starts), shape=(len(names), n_tags))


def _present(marks: sp.csr_matrix, tags: Sequence[Ints]) -> list[Marks]:
    """Say of some tags of each question whether it has them."""
    starts = marks.indptr
    return [
        np.isin(some, marks.indices[starts[row] : starts[row + 1]]) for row, some in enumerate(tags)
    ]


def name_worth(in_title: sp.csr_matrix, marks: sp.csr_matrix) -> Floats:
    """Log-odds of each tag where its name stands in the title, shrunk to those of all.

    Parameters
    ----------
    in_title, marks : csr_matrix, shape (n_questions, n_tags)
        Whether the name of a tag stands in the title of a question, and whether it has the tag.

    Returns
    -------
    ndarray of float, shape (n_tags,)
    """
    named = np.asarray(in_title.sum(axis=0), dtype=np.float64).ravel()
    both = np.asarray(in_title.multiply(marks).sum(axis=0), dtype=np.float64).ravel()
    rate = float((both.sum() + 1) / (named.sum() + 2))
    weight = 5.0  # questions that the common rate counts for
    odds = (both + weight * rate) / (named - both + weight * (1 - rate))
    log_odds: Floats = np.log(odds)
    return log_odds


def _fit_regression(described: Sequence[Floats], right: Sequence[Marks]) -> Floats:
    scaler, regression = StandardScaler(), LogisticRegression(max_iter=1000)
    regression.fit(scaler.fit_transform(np.concatenate(described)), np.concatenate(right))
    weights = regression.coef_[0] / scaler.scale_
    intercept = regression.intercept_[0] - weights @ scaler.mean_
    assert len(weights) == len(CALIBRATOR_FEATURES)  # noqa: S101 (what the service multiplies them with)
    return np.append(weights, intercept)
