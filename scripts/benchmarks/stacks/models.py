"""The models of the two rivals: scikit-learn's, as people serve it and as they tune it."""

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
_TEXTS_OF_A_TAG: Final = 5


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
        regression = LogisticRegression(solver="liblinear", tol=0.1)
        self.pipeline = Pipeline(
            [
                ("tfidf", TfidfVectorizer(max_features=max_terms, dtype=np.float32)),
                ("tags", OneVsRestClassifier(regression)),
            ]
        )
        self.binarizer = MultiLabelBinarizer()

    def fit(self, texts: Sequence[str], tags: Sequence[Sequence[str]]) -> None:
        """Learn the terms from all texts, and their weights from a few of each tag.

        With few texts and a loose tolerance a model of 878 tags is fitted in minutes and not in
        hours. It knows less, but answers as fast: its weights are as many, and zeros are no faster.
        """
        tfidf, regressions = (step for _, step in self.pipeline.steps)
        tfidf.fit(texts)
        few = _few_of_each(tags)
        marks = self.binarizer.fit_transform([tags[row] for row in few])
        regressions.fit(tfidf.transform([texts[row] for row in few]), marks)

    def predict(self, title: str, body: str) -> list[str]:
        """Suggest tags for one question."""
        marks = self.pipeline.predict([plain(title, body)])
        return list(self.binarizer.inverse_transform(marks)[0])


def _few_of_each(tags: Sequence[Sequence[str]]) -> list[int]:
    rows: dict[str, list[int]] = {}
    for row, names in enumerate(tags):
        for name in names:
            rows.setdefault(name, []).append(row)
    return sorted({row for found in rows.values() for row in found[:_TEXTS_OF_A_TAG]})


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
        # Both of 32 bits, or scipy would copy the whole matrix.
        (scores,) = self.vectorizer.transform([plain(title, body)]) @ self.weights
        return [self.tags[place] for place in np.flatnonzero(scores + self.intercepts > 0)]
