"""The model as it answers: a question in, calibrated tags out."""

import os
from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import FIELDS, analyze
from lambda_src.tagger.bundle import Array, Bundle, BundleFormatError, read_bundle
from lambda_src.tagger.markup import BodyFormat
from lambda_src.tagger.vocabulary import Vocabulary

MAX_TAGS = 5
"""A Stack Exchange question has at most five tags."""

Floats = npt.NDArray[np.float64]


QuietReason = Literal["no_known_words", "not_sure"]


class Suggestion(NamedTuple):
    """A tag and how sure the model is of it."""

    tag: str
    confidence: float
    """Between 0 and 1."""


class Prediction(NamedTuple):
    """What the model says of one question."""

    suggestions: list[Suggestion]
    """Best first; empty where the model does not know."""
    top_confidence: float
    """Of the best tag, suggested or not; 0 where the model knows no word of the question."""
    terms: npt.NDArray[np.intp]
    """The model's terms in the question, ascending."""

    @property
    def quiet_reason(self) -> QuietReason | None:
        """Why there are no suggestions; None where there are some."""
        if self.suggestions:
            return None
        return "not_sure" if len(self.terms) else "no_known_words"


class Contribution(NamedTuple):
    """What one term of a question added to a tag's score."""

    field: str
    term: str
    weight: float


class Explanation(NamedTuple):
    """Why a tag has its score: the intercept and the terms sum to it."""

    score: float
    intercept: float
    terms: list[Contribution]


class TagModel:
    """TF-IDF over three fields and one logistic regression per tag.

    The weight of a term that occurs ``n`` times is ``(1 + ln n) idf``, scaled so that each field
    has its own fixed length: the sublinear TF-IDF of Manning, Raghavan and Schütze (2008),
    "Introduction to Information Retrieval", section 6.4.1, as scikit-learn computes it.

    Parameters
    ----------
    bundle : Bundle

    Raises
    ------
    BundleFormatError
        The bundle's arrays do not fit each other.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.sha256 = bundle.sha256
        self.manifest = bundle.manifest
        try:
            _check(bundle.manifest, bundle.arrays)
            words = _words(bundle.arrays["words"])
            self.vocabulary = Vocabulary(words, bundle.arrays["terms"])
        except (KeyError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise BundleFormatError(
                f"bundle {bundle.sha256[:12]}: {reason}. Train it again with "
                "'python -m model_build train' of this release."
            ) from None
        arrays = bundle.arrays
        self.version: str = bundle.manifest["version"]
        self.tags: list[str] = [tag for tag, _ in bundle.manifest["tags"]]
        self._numbers = dict(zip(self.tags, range(len(self.tags)), strict=True))
        self._idf = arrays["idf"]
        self._starts = arrays["weights_start"].astype(np.intp)
        self._weight_tags = arrays["weights_tag"]
        self._weights = arrays["weights_value"]
        self._intercepts = arrays["intercepts"]
        self._fields = self.vocabulary.fields()
        self._field_weights = np.array([bundle.manifest["field_weights"][name] for name in FIELDS])
        self._threshold: float = bundle.manifest["threshold"]

    @classmethod
    def load(cls, path: str | os.PathLike[str], sha256: str | None = None) -> Self:
        """Read a bundle file and make a model of it; raises `BundleError`."""
        return cls(read_bundle(path, sha256))

    def suggest(
        self,
        title: str,
        body: str = "",
        *,
        body_format: BodyFormat = "auto",
        max_tags: int = MAX_TAGS,
        min_confidence: float = 0.0,
        exclude: Collection[str] = (),
    ) -> Prediction:
        """Suggest tags for a question.

        Parameters
        ----------
        title, body : str
            Either may be empty.
        body_format : {"auto", "html", "markdown"}
        max_tags : int
            At most that many suggestions.
        min_confidence : float
            None below it, nor below the model's own threshold.
        exclude : collection of str
            Tags that are not to be suggested.
        """
        terms, scores = self._score(title, body, body_format)
        if not len(terms):
            return Prediction([], 0.0, terms)
        ranked = self._ranked(scores, max_tags + len(exclude))
        floor = max(min_confidence, self._threshold)
        chosen = [each for each in ranked if each.confidence >= floor and each.tag not in exclude]
        return Prediction(chosen[:max_tags], ranked[0].confidence, terms)

    def rank(
        self, title: str, body: str = "", *, body_format: BodyFormat = "auto", limit: int = 10
    ) -> list[Suggestion]:
        """Give the likeliest tags, best first, whether or not they would be suggested."""
        _, scores = self._score(title, body, body_format)
        return self._ranked(scores, limit)

    def explain(
        self, tags: Collection[str], title: str, body: str = "", *, body_format: BodyFormat = "auto"
    ) -> dict[str, Explanation]:
        """Name what each term of the question added to each tag's score.

        Parameters
        ----------
        tags : collection of str
            Tags that the model knows.
        title, body : str
        body_format : {"auto", "html", "markdown"}

        Raises
        ------
        KeyError
            The model does not know one of the tags.
        """
        terms, counts = self.vocabulary.find(analyze(title, body, body_format))
        spoken = self._spoken(terms, self._tfidf(terms, counts))
        explanations = {}
        for tag in tags:
            number = self._numbers[tag]
            intercept = float(self._intercepts[number])
            mine = spoken.tags == number
            contributions = [
                Contribution(*self.vocabulary.spell(term), float(weight))
                for term, weight in zip(spoken.terms[mine], spoken.weights[mine], strict=True)
            ]
            score = intercept + sum(each.weight for each in contributions)
            explanations[tag] = Explanation(score, intercept, contributions)
        return explanations

    def scores(self, title: str, body: str = "", body_format: BodyFormat = "auto") -> Floats:
        """Give each tag's raw score, the log-odds of its regression; shape (n_tags,)."""
        return self._score(title, body, body_format)[1]

    def _score(
        self, title: str, body: str, body_format: BodyFormat
    ) -> tuple[npt.NDArray[np.intp], Floats]:
        terms, counts = self.vocabulary.find(analyze(title, body, body_format))
        spoken = self._spoken(terms, self._tfidf(terms, counts))
        scores = self._intercepts.astype(np.float64)
        scores += np.bincount(spoken.tags, spoken.weights, len(self.tags))
        return terms, scores

    def _spoken(self, terms: npt.NDArray[np.intp], weights: Floats) -> "_Spoken":
        starts = self._starts[terms]
        lengths = self._starts[terms + 1] - starts
        # Every term's slice of the postings, one after the other, without a loop.
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
        return _Spoken(
            np.repeat(terms, lengths),
            self._weight_tags[places],
            self._weights[places] * np.repeat(weights, lengths),
        )

    def _tfidf(self, terms: npt.NDArray[np.intp], counts: npt.NDArray[np.intp]) -> Floats:
        weights = (1 + np.log(counts)) * self._idf[terms]
        fields = self._fields[terms]
        lengths = np.sqrt(np.bincount(fields, weights * weights, len(FIELDS)))
        scale = self._field_weights / np.where(lengths > 0, lengths, 1.0)
        scaled: Floats = weights * scale[fields]
        return scaled

    def _ranked(self, scores: Floats, limit: int) -> list[Suggestion]:
        limit = min(limit, len(scores))
        best = np.argpartition(-scores, limit - 1)[:limit]
        best = best[np.lexsort((best, -scores[best]))]
        confidences = 1 / (1 + np.exp(-scores[best]))
        return [
            Suggestion(self.tags[tag], float(confidence))
            for tag, confidence in zip(best, confidences, strict=True)
        ]


class _Spoken(NamedTuple):
    """What terms said for and against tags, shape (n_spoken,) each."""

    terms: npt.NDArray[np.intp]
    tags: npt.NDArray[np.unsignedinteger[Any]]
    weights: Floats


def _words(blob: Array) -> list[str]:
    return bytes(blob).decode().split("\n") if len(blob) else []


def _check(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Refuse arrays that would answer nonsense, or read beyond each other."""
    tags = [tag for tag, count in manifest["tags"] if isinstance(tag, str) and type(count) is int]
    n_tags, n_terms = len(manifest["tags"]), len(arrays["terms"])
    _require(n_tags > 0 and len(set(tags)) == n_tags, "its tags are not distinct texts with counts")
    _require(isinstance(manifest["version"], str), "its version is not a text")
    threshold = manifest["threshold"]
    _require(isinstance(threshold, float) and 0 <= threshold <= 1, "its threshold is not in [0, 1]")
    field_weights = [manifest["field_weights"][name] for name in FIELDS]
    _require(all(isinstance(w, float) and w >= 0 for w in field_weights), "its field weights")

    nnz = arrays["weights_value"].size
    expected = {
        "words": ("u", None),
        "terms": ("u8", n_terms),
        "idf": ("f", n_terms),
        "weights_start": ("u", n_terms + 1),
        "weights_tag": ("u", nnz),
        "weights_value": ("f", nnz),
        "intercepts": ("f", n_tags),
    }
    for name, (kind, length) in expected.items():
        array = arrays[name]
        fits = array.ndim == 1 and length in (None, len(array)) and array.dtype.str[1:2] == kind[0]
        _require(fits, f"array {name!r} has shape {array.shape} and type {array.dtype}")
    _require(arrays["terms"].dtype == np.uint64, "array 'terms' is not of 64-bit numbers")

    starts = arrays["weights_start"]
    _require(bool((starts[1:] >= starts[:-1]).all()), "its weights are not in order")
    _require(int(starts[0]) == 0 and int(starts[-1]) == nnz, "its weights do not add up")
    _require(nnz == 0 or int(arrays["weights_tag"].max()) < n_tags, "a weight has no tag")
    for name in ("idf", "weights_value", "intercepts"):
        _require(bool(np.isfinite(arrays[name]).all()), f"array {name!r} holds no numbers")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
