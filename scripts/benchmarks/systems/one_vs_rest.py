"""A vectorizer and a classifier of all tags, the base of several systems."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import joblib
from sklearn.base import BaseEstimator
from sklearn.multiclass import OneVsRestClassifier

from model_build.questions import Question
from scripts.benchmarks.systems.joint_regressions import JointLogisticRegressions
from scripts.benchmarks.systems.system import Answer, Choose, Corpus, answers


class OneVsRest:
    """A vectorizer, followed by one classifier per tag or by one of all tags.

    Parameters
    ----------
    read : callable
        Converts questions into the vectorizer's documents, one for each question.
    vectorizer : transformer
    classifier : estimator
        The classifier of one tag, or `JointLogisticRegressions`. Tags are ranked by its
        probabilities if it has them, otherwise by its scores.
    choose : callable
        Selects the suggested tags from the ranked ones.
    """

    def __init__(
        self,
        read: Callable[[Sequence[Question]], Sequence[object]],
        vectorizer: BaseEstimator,
        classifier: BaseEstimator,
        choose: Choose,
    ) -> None:
        self._read = read
        self._vectorizer = vectorizer
        is_joint = isinstance(classifier, JointLogisticRegressions)
        self._classifiers = classifier if is_joint else OneVsRestClassifier(classifier, n_jobs=-1)
        self._choose = choose
        self._tags: list[str] = []

    def fit(self, corpus: Corpus) -> None:
        """Fit the vectorizer, and then the classifiers on all processor cores."""
        self._tags = corpus.tags
        vectors = self._vectorizer.fit_transform(self._read(corpus.questions))
        self._classifiers.fit(vectors, corpus.marks)

    @property
    def seconds_saved(self) -> float:
        """The time that embeddings from earlier runs took there."""
        return float(getattr(self._vectorizer, "seconds_saved_", 0.0))

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Rank tags by probabilities or scores."""
        vectors = self._vectorizer.transform(self._read(questions))
        # OneVsRestClassifier has predict_proba only if its classifier has it.
        has_probabilities = hasattr(self._classifiers, "predict_proba")
        score = "predict_proba" if has_probabilities else "decision_function"
        return answers(getattr(self._classifiers, score)(vectors), self._tags, self._choose)

    def megabytes(self) -> float:
        """Return the size of a joblib file, which scikit-learn's documentation recommends."""
        return joblib_megabytes((self._vectorizer, self._classifiers))


def joblib_megabytes(model: object) -> float:
    """Return the size of the joblib file of a model, in MB, without writing the file."""
    counter = _ByteCounter()
    joblib.dump(model, counter)
    return counter.total / 1e6


class _ByteCounter(io.RawIOBase):
    """A file that only counts its bytes: these models are a gigabyte and larger."""

    def __init__(self) -> None:
        self.total = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.total += length
        return length
