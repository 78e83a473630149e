"""The models of the two rivals: scikit-learn's, as people serve it and as they tune it."""

import re
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MultiLabelBinarizer

_MARKUP: Final = re.compile(r"<[^>]*>")


def plain(title: str, body: str) -> str:
    """Title and body as one text without markup."""
    return f"{title}\n{_MARKUP.sub(' ', body)}"


class UsualModel:
    """TF-IDF and an estimator per tag in a pipeline, asked one text at a time.

    Parameters
    ----------
    max_terms : int, optional
        Keep that many of the commonest.
    """

    def __init__(self, max_terms: int | None = None) -> None:
        # Liblinear with a loose tolerance: the time to fit shrinks, that to answer stays the same.
        estimator = LogisticRegression(solver="liblinear", tol=0.1)
        self.pipeline = Pipeline(
            [
                ("tfidf", TfidfVectorizer(max_features=max_terms, dtype=np.float32)),
                ("tags", OneVsRestClassifier(estimator)),
            ]
        )
        self.binarizer = MultiLabelBinarizer()

    def fit(self, texts: Iterable[str], tags: Iterable[Iterable[str]]) -> None:
        """Learn from texts and their tags."""
        self.pipeline.fit(texts, self.binarizer.fit_transform(tags))

    def predict(self, title: str, body: str) -> list[str]:
        """Suggest tags for one question."""
        marks = self.pipeline.predict([plain(title, body)])
        return list(self.binarizer.inverse_transform(marks)[0])


class TunedModel:
    """The same with all weights in one matrix of 32-bit floats, shape (n_terms, n_tags).

    Parameters
    ----------
    usual : UsualModel
        A fitted one.
    """

    def __init__(self, usual: UsualModel) -> None:
        estimators: Any = usual.pipeline.named_steps["tags"].estimators_
        self.vectorizer: Any = usual.pipeline.named_steps["tfidf"]
        self.tags: list[str] = usual.binarizer.classes_.tolist()
        n_terms = len(self.vectorizer.vocabulary_)
        self.weights = np.empty((n_terms, len(self.tags)), dtype=np.float32)
        for place, estimator in enumerate(estimators):
            self.weights[:, place] = estimator.coef_[0]
        self.intercepts = np.array([each.intercept_[0] for each in estimators], dtype=np.float32)

    def predict(self, title: str, body: str) -> list[str]:
        """Suggest tags for one question: those of odds above one, as scikit-learn does."""
        vector = self.vectorizer.transform([plain(title, body)])
        # The rows of its own terms only: quicker than scipy's product with the whole matrix.
        scores = vector.data @ self.weights[vector.indices] + self.intercepts
        return [self.tags[place] for place in np.flatnonzero(scores > 0)]
