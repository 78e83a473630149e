"""One scikit-learn classifier per tag: what several systems have in common."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import joblib
from sklearn.base import BaseEstimator
from sklearn.multiclass import OneVsRestClassifier

from model_build.questions import Question
from scripts.benchmarks.rivals.rival import Answer, Choose, Corpus, answers


class OneVsRest:
    """A vectorizer of questions, then a classifier per tag.

    Parameters
    ----------
    read : callable
        Gives the vectorizer's documents, one for each question.
    vectorizer : transformer
    classifier : estimator
        Of one tag; ranked by its probabilities where it has them, else by its scores.
    choose : callable
        Which of the ranked tags to suggest.
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
        self._classifiers = OneVsRestClassifier(classifier, n_jobs=-1)
        self._choose = choose
        self._tags: list[str] = []

    def fit(self, corpus: Corpus) -> None:
        """Fit the vectorizer, then a classifier per tag on all processors."""
        self._tags = corpus.tags
        vectors = self._vectorizer.fit_transform(self._read(corpus.questions))
        self._classifiers.fit(vectors, corpus.marks)

    @property
    def seconds_saved(self) -> float:
        """What embeddings had cost that were kept from another run."""
        return float(getattr(self._vectorizer, "seconds_saved_", 0.0))

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Rank tags by their probabilities or scores."""
        vectors = self._vectorizer.transform(self._read(questions))
        # scikit-learn hides the method that its inner classifier lacks.
        has_probabilities = hasattr(self._classifiers, "predict_proba")
        score = "predict_proba" if has_probabilities else "decision_function"
        return answers(getattr(self._classifiers, score)(vectors), self._tags, self._choose)

    def megabytes(self) -> float:
        """Size of the joblib file that scikit-learn's documentation tells people to keep."""
        counter = _ByteCounter()
        joblib.dump((self._vectorizer, self._classifiers), counter)
        return counter.total / 1e6


class _ByteCounter(io.RawIOBase):
    """A file that keeps nothing but its length: these models take a gigabyte and more."""

    def __init__(self) -> None:
        self.total = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        length = memoryview(data).nbytes
        self.total += length
        return length
