"""The model as it answers: a question in, calibrated tags out."""

import os
from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.bundle import Array, Bundle, BundleFormatError, read_bundle
from lambda_src.tagger.calibrator import (
    FEATURES,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.decoder import best_size
from lambda_src.tagger.markup import BodyFormat
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import Floats, FoundTerms, Ints, QuestionKeys, Vocabulary

MAX_TAGS = 5
"""A Stack Exchange question has at most five tags."""


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
    terms: Ints
    """The model's terms in the question, ascending."""

    @property
    def quiet_reason(self) -> QuietReason | None:
        """Why there are no suggestions; None where there are some."""
        if self.suggestions:
            return None
        return "not_sure" if len(self.terms) else "no_known_words"


class Contribution(NamedTuple):
    """What one term of a question added to a tag's score."""

    space: str
    """``text`` (title and prose) or ``code``."""
    term: str
    weight: float


class Explanation(NamedTuple):
    """Why a tag has its score: the intercept and the terms sum to it."""

    score: float
    intercept: float
    terms: list[Contribution]


class TagModel:
    """TF-IDF and one logistic regression per tag.

    A term that occurs ``n`` times weighs ``(1 + ln n) idf`` times a constant of its kind, and a
    question's weights are scaled to length 1: the sublinear TF-IDF of Manning, Raghavan and Schütze
    (2008), "Introduction to Information Retrieval", section 6.4.1, as scikit-learn computes it.

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
            keys = bundle.arrays["terms"].view(np.int64)
            self.vocabulary = Vocabulary(words, keys, bundle.manifest["title_weight"])
            self._names = TagNames(_name_arrays(bundle.arrays), len(words))
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
        self._term_weights = arrays["term_weights"]
        self._starts = arrays["weights_start"].astype(np.intp)
        self._weight_tags = arrays["weights_tag"]
        self._weights = arrays["weights_value"]
        self._intercepts = arrays["intercepts"]
        self._facts = TagFacts(
            np.log([max(count, 1) for _, count in bundle.manifest["tags"]]),
            arrays["name_worth"].astype(np.float64),
        )
        self._calibrator = arrays["calibrator"].astype(np.float64)
        self._floor: float = bundle.manifest["floor"]
        self._other_tags: float = bundle.manifest["other_tags"]
        self._synonyms: dict[str, str] = bundle.manifest["synonyms"]

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
        terms, ranked = self._rank(title, body, body_format)
        top = ranked[0].confidence if ranked else 0.0
        if top < self._floor:
            return Prediction([], top, terms)
        unwanted = {self._synonyms.get(tag, tag) for tag in exclude}
        possible = [each for each in ranked if each.tag not in unwanted]
        size = best_size([each.confidence for each in possible], self._other_tags, max_tags)
        chosen = possible[:size]
        return Prediction(
            [each for each in chosen if each.confidence >= min_confidence], top, terms
        )

    def rank(
        self, title: str, body: str = "", *, body_format: BodyFormat = "auto", limit: int = 10
    ) -> list[Suggestion]:
        """Give the likeliest tags, best first, whether or not they would be suggested."""
        return self._rank(title, body, body_format)[1][:limit]

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
        _, (terms, counts) = self._find(title, body, body_format)
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
        return self._scores(self._find(title, body, body_format)[1])

    def _find(
        self, title: str, body: str, body_format: BodyFormat
    ) -> tuple[QuestionKeys, FoundTerms]:
        keys = self.vocabulary.keys_of(tokenize(title, body, body_format))
        return keys, self.vocabulary.find(keys)

    def _scores(self, found: FoundTerms) -> Floats:
        spoken = self._spoken(found.terms, self._tfidf(found.terms, found.counts))
        scores = self._intercepts.astype(np.float64)
        scores += np.bincount(spoken.tags, spoken.weights, len(self.tags))
        return scores

    def _rank(
        self, title: str, body: str, body_format: BodyFormat
    ) -> tuple[Ints, list[Suggestion]]:
        """Find the known terms and the candidates, best first; none where no term is known."""
        keys, found = self._find(title, body, body_format)
        if not len(found.terms):
            return found.terms, []
        candidates = best_candidates(self._scores(found))
        described = features(candidates, self._names.count(keys), self._facts)
        sure = confidences(described, self._calibrator)
        order = np.argsort(-sure, kind="stable")
        tags = [self.tags[tag] for tag in candidates.tags[order].tolist()]
        return found.terms, list(map(Suggestion, tags, sure[order].tolist()))

    def _spoken(self, terms: Ints, weights: Floats) -> "_Spoken":
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

    def _tfidf(self, terms: Ints, counts: Floats) -> Floats:
        weights = (1 + np.log(counts)) * self._term_weights[terms]
        length = np.sqrt(weights @ weights)
        scaled: Floats = weights / length if length else weights
        return scaled


class _Spoken(NamedTuple):
    """What terms said for and against tags, shape (n_spoken,) each."""

    terms: Ints
    tags: npt.NDArray[np.unsignedinteger[Any]]
    weights: Floats


def _name_arrays(arrays: Mapping[str, Array]) -> NameArrays:
    return NameArrays(
        arrays["name_keys"].view(np.int64),
        arrays["names"].astype(np.intp),
        arrays["name_starts"].astype(np.intp),
        arrays["tag_names"].astype(np.intp),
    )


def _words(blob: Array) -> list[str]:
    return bytes(blob).decode().split("\n") if len(blob) else []


def _check(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Refuse arrays that would answer nonsense, or read beyond each other."""
    tags = [tag for tag, count in manifest["tags"] if isinstance(tag, str) and type(count) is int]
    n_tags, n_terms = len(manifest["tags"]), len(arrays["terms"])
    _require(n_tags > 0 and len(set(tags)) == n_tags, "its tags are not distinct texts with counts")
    _require(isinstance(manifest["version"], str), "its version is not a text")
    floor, other_tags = manifest["floor"], manifest["other_tags"]
    _require(isinstance(floor, float) and 0 <= floor <= 1, "its floor is not in [0, 1]")
    _require(isinstance(other_tags, float) and other_tags >= 0, "its other_tags is no number")
    known = manifest["calibrator_features"] == list(FEATURES)
    _require(known, "its calibrator is of another release")
    synonyms = manifest["synonyms"]
    _require(isinstance(synonyms, dict) and set(synonyms.values()) <= set(tags), "its synonyms")
    title_weight = manifest["title_weight"]
    _require(type(title_weight) is int and title_weight > 0, "its title weight is no whole number")

    nnz = arrays["weights_value"].size
    expected = {
        "words": ("u", None),
        "terms": ("u8", n_terms),
        "term_weights": ("f", n_terms),
        "weights_start": ("u", n_terms + 1),
        "weights_tag": ("u", nnz),
        "weights_value": ("f", nnz),
        "intercepts": ("f", n_tags),
        "name_keys": ("u8", None),
        "names": ("u", None),
        "name_starts": ("u", None),
        "tag_names": ("u", n_tags),
        "name_worth": ("f", n_tags),
        "calibrator": ("f", len(FEATURES) + 1),
    }
    for name, (kind, length) in expected.items():
        array = arrays[name]
        fits = array.ndim == 1 and length in (None, len(array)) and array.dtype.str[1:2] == kind[0]
        _require(fits, f"array {name!r} has shape {array.shape} and type {array.dtype}")
    for name in ("terms", "name_keys"):
        _require(arrays[name].dtype == np.uint64, f"array {name!r} is not of 64-bit numbers")

    starts = arrays["weights_start"]
    _require(bool((starts[1:] >= starts[:-1]).all()), "its weights are not in order")
    _require(int(starts[0]) == 0 and int(starts[-1]) == nnz, "its weights do not add up")
    _require(nnz == 0 or int(arrays["weights_tag"].max()) < n_tags, "a weight has no tag")
    for name in (name for name, (kind, _) in expected.items() if kind == "f"):
        _require(bool(np.isfinite(arrays[name]).all()), f"array {name!r} holds no numbers")


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)
