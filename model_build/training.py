"""Fit one logistic regression per tag."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from model_build.calibration import Calibration, calibrate
from model_build.card import corpus_card, judge_ranked, quality_card
from model_build.features import FeatureOptions, NotEnoughQuestionsError, fit_tfidf, tokens_of
from model_build.lexicon import Lexicon, make_lexicon
from model_build.questions import Question
from model_build.splitting import fold_numbers
from model_build.synonyms import main_tags
from model_build.truth import Truth

Floats32 = npt.NDArray[np.float32]

PRUNE: Final = 0.0075
"""What `TrainingOptions.prune` is for a model that serves; docs/quality.md says what it costs."""


@dataclass(frozen=True)
class TrainingOptions:
    """What an engineer may choose."""

    min_tag_count: int = 20
    """Tags with fewer uses are left out."""
    features: FeatureOptions = field(default_factory=FeatureOptions)
    inverse_regularization: float = 1.5
    balance: float = 0.75
    """Questions with the tag weigh (without / with) to this power: 0 is none, 1 makes them even."""
    tolerance: float = 0.1
    """At which the solver stops, in scikit-learn's terms."""
    prune: float = 0.0
    """Weights worth less are left out. A weight is worth what it adds to a score where its term
    stands, on average, times the fourth root of the share of questions where it stands: small
    weights of rare terms are hardly ever met, those of common ones are what answers wait for."""
    near: int = 3000
    """Questions without a tag that its regression sees: so many, or eight for each with the tag,
    of those most like the questions with the tag ..."""
    others: int = 3000
    """... and so many drawn at random, which stand for all the rest."""
    folds: int = 5
    """Parts of the corpus that are scored, for the calibrator, without having been trained on."""
    jobs: int = -1
    seed: int = 0

    def regressions(self, progress: str = "tags") -> "TagRegressions":
        """Make the estimator that these options describe."""
        return TagRegressions(
            inverse_regularization=self.inverse_regularization,
            tolerance=self.tolerance,
            balance=self.balance,
            prune=self.prune,
            near=self.near,
            others=self.others,
            jobs=self.jobs,
            seed=self.seed,
            progress=progress,
        )


class TagRegressions(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One logistic regression per tag, each fitted on the questions that can judge its tag.

    Parameters
    ----------
    inverse_regularization, tolerance : float
        As ``C`` and ``tol`` of scikit-learn's `LogisticRegression`.
    balance, prune : float
    near, others : int
        See `TrainingOptions`.
    jobs : int
        Processes, as joblib counts them.
    seed : int
    progress : str
        What the progress bar is called.

    Attributes
    ----------
    coef_ : csr_matrix of float32, shape (n_tags, n_terms)
    intercept_ : ndarray of float64, shape (n_tags,)
    """

    def __init__(
        self,
        *,
        inverse_regularization: float = 1.5,
        tolerance: float = 0.1,
        balance: float = 0.75,
        prune: float = 0.0,
        near: int = 3000,
        others: int = 3000,
        jobs: int = -1,
        seed: int = 0,
        progress: str = "tags",
    ) -> None:
        self.inverse_regularization = inverse_regularization
        self.tolerance = tolerance
        self.balance = balance
        self.prune = prune
        self.near = near
        self.others = others
        self.jobs = jobs
        self.seed = seed
        self.progress = progress

    def fit(self, matrix: sp.csr_matrix, truth: Truth) -> "TagRegressions":
        """Fit all tags.

        Parameters
        ----------
        matrix : csr_matrix, shape (n_questions, n_terms)
        truth : Truth
            Of the same questions.
        """
        n_tags = truth.marks.shape[1]
        similarities = _similarities(matrix, truth)
        least = self._least_weights(matrix)
        tasks = (
            delayed(self._fit_tag)(matrix, self._sample(truth, tag, similarities[:, tag]), least)
            for tag in range(n_tags)
        )
        # Processes, not threads: liblinear draws from one random generator per process, and the
        # same seed is to give the same model.
        fitted = Parallel(n_jobs=self.jobs, return_as="generator", mmap_mode="c")(tasks)
        rows_of_weights = []
        self.intercept_ = np.zeros(n_tags)
        self.classes_ = np.arange(n_tags)
        for tag, (weights, intercept) in enumerate(
            tqdm(fitted, total=n_tags, desc=self.progress, unit="tag", disable=None)
        ):
            rows_of_weights.append(weights)
            self.intercept_[tag] = intercept
        self.coef_ = sp.vstack(rows_of_weights, format="csr")
        return self

    def _sample(self, truth: Truth, tag: int, similarities: Floats32) -> "_Sample":
        """Take all questions with the tag, those without it most like them, and some others."""
        judges, present = truth.judges(tag), truth.present(tag)
        with_tag = np.flatnonzero(present & judges)
        without = np.flatnonzero(~present & judges)
        n_near = max(self.near, 8 * len(with_tag))
        if n_near + self.others >= 0.8 * len(without):
            near, others = without, without[:0]
        else:
            order = np.argpartition(-similarities[without], n_near)
            near = without[np.sort(order[:n_near])]
            random = np.random.default_rng([self.seed, tag])
            others = np.sort(
                random.choice(without[np.sort(order[n_near:])], self.others, replace=False)
            )
        sizes = [len(with_tag), len(near), len(others)]
        balance = (len(without) / max(len(with_tag), 1)) ** self.balance
        other_weight = (len(without) - len(near)) / max(len(others), 1)
        return _Sample(
            np.concatenate([with_tag, near, others]),
            np.repeat([True, False, False], sizes),
            np.repeat([balance, 1.0, other_weight], sizes),
        )

    def _least_weights(self, matrix: sp.csr_matrix) -> Floats32:
        """Say of each term how large a weight must be to be kept; shape (n_terms,)."""
        n_questions = np.bincount(matrix.indices, minlength=matrix.shape[1])
        sums = np.bincount(matrix.indices, matrix.data, matrix.shape[1])
        mean = sums / np.maximum(n_questions, 1)
        worth = mean * (n_questions / matrix.shape[0]) ** 0.25
        least: Floats32 = (self.prune / np.maximum(worth, 1e-9)).astype(np.float32)
        return least

    def _fit_tag(
        self, matrix: sp.csr_matrix, sample: "_Sample", least: Floats32
    ) -> tuple[sp.csr_matrix, float]:
        n_with = int(sample.present.sum())
        n_without = len(sample.rows) - n_with
        if not n_with or not n_without:  # nothing to tell apart: the odds alone
            nothing = sp.csr_matrix((1, matrix.shape[1]), dtype=np.float32)
            return nothing, float(np.log((n_with + 1) / (n_without + 1)))
        regression = LogisticRegression(
            solver="liblinear",
            dual=True,
            C=self.inverse_regularization,
            tol=self.tolerance,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            # A few common tags do not reach the tolerance in liblinear's 100 passes.
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(matrix[sample.rows], sample.present, sample_weight=sample.weights)
        weights = regression.coef_.astype(np.float32)
        weights[np.abs(weights) < least] = 0
        return sp.csr_matrix(weights), float(regression.intercept_[0])

    def decision_function(self, matrix: sp.csr_matrix) -> npt.NDArray[np.float64]:
        """Give raw scores; shape (n_questions, n_tags)."""
        scores = (matrix @ self.coef_.T).toarray()
        scores += self.intercept_
        return scores  # type: ignore[no-any-return]


class _Sample(NamedTuple):
    """The questions that one regression is fitted on, shape (n_sampled,) each."""

    rows: npt.NDArray[np.intp]
    present: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float64]


def _similarities(matrix: sp.csr_matrix, truth: Truth) -> Floats32:
    """Cosine-like similarity of questions and the mean question of each tag."""
    plain = matrix.astype(np.float32)
    n_uses = np.maximum(np.asarray(truth.marks.sum(axis=0)).ravel(), 1)
    means = sp.diags((1 / n_uses).astype(np.float32)) @ (truth.marks.T.astype(np.float32) @ plain)
    similarities: Floats32 = (plain @ means.T).toarray()
    return similarities


@dataclass(frozen=True)
class FittedTagger:
    """What training gives: the parts of a bundle, still in scikit-learn's hands."""

    tfidf: Pipeline
    regressions: TagRegressions
    lexicon: Lexicon
    calibration: Calibration
    tags: list[tuple[str, int]]
    """Tag and uses, commonest first, in the order of the regressions."""
    synonyms: dict[str, str]
    """Those that stand for one of the tags."""
    options: TrainingOptions
    corpus: dict[str, Any]
    """Facts of the questions; see `model_build.card`."""
    quality: dict[str, Any]


def choose_tags(questions: Sequence[Question], min_tag_count: int) -> list[tuple[str, int]]:
    """List the tags with enough uses and how many they have, commonest first."""
    counts = Counter(tag for question in questions for tag in question.tags)
    often = [(tag, count) for tag, count in counts.items() if count >= min_tag_count]
    return sorted(often, key=lambda each: (-each[1], each[0]))


def fit(
    questions: Sequence[Question],
    options: TrainingOptions,
    synonyms: Mapping[str, str] | None = None,
) -> FittedTagger:
    """Fit TF-IDF, the regressions and the calibrator on a corpus.

    Parameters
    ----------
    questions : sequence of Question
    options : TrainingOptions
    synonyms : mapping of str to str, optional
        To main tags. One that is itself used often enough remains a tag of its own.

    Raises
    ------
    NotEnoughQuestionsError
        No tag has enough uses, or no term stands in enough questions.
    """
    often = {tag for tag, _ in choose_tags(questions, options.min_tag_count)}
    synonyms = {name: tag for name, tag in (synonyms or {}).items() if name not in often}
    questions = main_tags(questions, synonyms)
    tags = choose_tags(questions, options.min_tag_count)
    if not tags:
        raise NotEnoughQuestionsError(
            f"no tag has {options.min_tag_count} uses in these {len(questions)} questions: "
            "name more files, or lower --min-tag-count"
        )
    names = [tag for tag, _ in tags]
    tokens = tokens_of(tqdm(questions, desc="words", unit="question", disable=None))
    tfidf, matrix = fit_tfidf(tokens, options.features)
    truth = Truth.of(questions, names)
    lexicon = make_lexicon(tfidf.named_steps["terms"], names, synonyms)
    rows = np.flatnonzero(truth.scope == -1)
    folds = np.array(fold_numbers(questions, options.folds, options.seed))
    calibration = calibrate(
        _out_of_fold_scores(folds, matrix, truth, options),
        folds=folds,
        rows=rows,
        tokens=tokens,
        truth=truth,
        n_true=np.array([len(question.tags) for question in questions]),
        lexicon=lexicon,
        title_weight=options.features.title_weight,
        seed=options.seed,
    )
    complete = [questions[row] for row in rows]
    judged = judge_ranked(
        complete,
        calibration.ranked,
        names,
        other_tags=calibration.other_tags,
        floor=calibration.floor,
    )
    return FittedTagger(
        tfidf,
        options.regressions().fit(matrix, truth),
        lexicon,
        calibration,
        tags,
        {name: tag for name, tag in synonyms.items() if tag in names},
        options,
        corpus_card(questions),
        quality_card(complete, judged, tags),
    )


def _out_of_fold_scores(
    folds: npt.NDArray[np.intp], matrix: sp.csr_matrix, truth: Truth, options: TrainingOptions
) -> Floats32:
    """Score each question by regressions that have not seen it, nor one of the same title."""
    scores = np.zeros(truth.marks.shape, dtype=np.float32)
    for fold in range(options.folds):
        seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        regressions = options.regressions(f"tags, fold {fold + 1} of {options.folds}")
        regressions.fit(matrix[seen], truth.part(seen))
        scores[unseen] = regressions.decision_function(matrix[unseen])
    return scores
