"""The models of the baseline: scikit-learn's without changes, and a tuned version of it."""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MultiLabelBinarizer

_MARKUP: Final = re.compile(r"<[^>]*>")
_TEXTS_PER_TAG: Final = 5


def plain(title: str, body: str) -> str:
    """Join title and body into one text without markup."""
    return f"{title}\n{_MARKUP.sub(' ', body)}"


class BaselineModel:
    """A scikit-learn pipeline of TF-IDF and one logistic regression per tag.

    Parameters
    ----------
    max_terms : int, optional
        Keep only this many of the most frequent terms.
    """

    def __init__(self, max_terms: int | None = None) -> None:
        regression = LogisticRegression(solver="liblinear", tol=0.1)
        self.pipeline = Pipeline(
            [
                ("tfidf", TfidfVectorizer(max_features=max_terms, dtype=np.float32)),
                ("tags", OneVsRestClassifier(regression)),
            ]
        )
        self.binarizer = MultiLabelBinarizer()

    def fit(self, texts: Sequence[str], tags: Sequence[Sequence[str]]) -> None:
        """Fit the terms on all texts, and the weights on a few texts of each tag.

        This fits a model of 878 tags in minutes instead of hours. The quality is lower, but the
        latency is the same, because the number of weights is the same.
        """
        tfidf, regressions = (step for _, step in self.pipeline.steps)
        tfidf.fit(texts)
        few = _few_rows_per_tag(tags)
        marks = self.binarizer.fit_transform([tags[row] for row in few])
        regressions.fit(tfidf.transform([texts[row] for row in few]), marks)

    def predict(self, title: str, body: str) -> list[str]:
        """Return the suggested tags of one question."""
        marks = self.pipeline.predict([plain(title, body)])
        return list(self.binarizer.inverse_transform(marks)[0])


def _few_rows_per_tag(tags: Sequence[Sequence[str]]) -> list[int]:
    rows: dict[str, list[int]] = {}
    for row, names in enumerate(tags):
        for name in names:
            rows.setdefault(name, []).append(row)
    return sorted({row for found in rows.values() for row in found[:_TEXTS_PER_TAG]})


class TunedBaselineModel:
    """A `BaselineModel` with all weights in one matrix of 32-bit floats.

    Parameters
    ----------
    baseline : BaselineModel
        The fitted model to convert.

    Attributes
    ----------
    weights : ndarray of float32, shape (n_terms, n_tags)
    intercepts : ndarray of float32, shape (n_tags,)
    """

    def __init__(self, baseline: BaselineModel) -> None:
        estimators: Any = baseline.pipeline.named_steps["tags"].estimators_
        self.vectorizer: Any = baseline.pipeline.named_steps["tfidf"]
        self.tags: list[str] = baseline.binarizer.classes_.tolist()
        n_terms = len(self.vectorizer.vocabulary_)
        self.weights = np.empty((n_terms, len(self.tags)), dtype=np.float32)
        for place, estimator in enumerate(estimators):
            self.weights[:, place] = estimator.coef_[0]
        self.intercepts = np.array([each.intercept_[0] for each in estimators], dtype=np.float32)

    def predict(self, title: str, body: str) -> list[str]:
        """Return the tags whose score is above 0, as scikit-learn's `predict` does."""
        # Both have 32 bits; otherwise scipy would copy the whole matrix.
        (scores,) = self.vectorizer.transform([plain(title, body)]) @ self.weights
        return [self.tags[place] for place in np.flatnonzero(scores + self.intercepts > 0)]
