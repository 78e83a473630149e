"""The model as it answers: a question in, calibrated tags out."""

import os
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, Self

import numpy as np

from lambda_src.tagger.analyzer import tokenize
from lambda_src.tagger.bundle import Array, Bundle, BundleFormatError, read_bundle
from lambda_src.tagger.calibrator import (
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.contents import check_contents, words_of
from lambda_src.tagger.decoder import best_size
from lambda_src.tagger.evidence import KNOWN_SHARE
from lambda_src.tagger.markup import BodyFormat
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.vocabulary import (
    Floats,
    FoundTerms,
    Ints,
    QuestionKeys,
    QuestionNumbers,
    Vocabulary,
)

MAX_TAGS = 5
"""A Stack Exchange question has at most five tags."""


QuietReason = Literal["too_few_known_words", "no_topic", "not_sure"]


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
    """Of the best tag, suggested or not; 0 where the question was not scored."""
    terms: Ints
    """The model's terms in the question, ascending."""
    quiet_reason: QuietReason | None = None
    """Why there are no suggestions; None where there are some."""


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
            check_contents(bundle.manifest, bundle.arrays)
            words = words_of(bundle.arrays["words"])
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
            None below it; the model has a floor of its own, under which it suggests nothing.
        exclude : collection of str
            Tags that are not to be suggested.
        """
        question = self.vocabulary.number(tokenize(title, body, body_format))
        keys = self.vocabulary.keys_of(question)
        found = self.vocabulary.find(keys)
        known = self.vocabulary.known_words(question)
        if known.share < KNOWN_SHARE or not len(found.terms):
            return Prediction([], 0.0, found.terms, "too_few_known_words")
        if not known.has_topic:
            return Prediction([], 0.0, found.terms, "no_topic")
        ranked = self._rank(question, keys, found)
        top = ranked[0].confidence
        if top < self._floor:
            return Prediction([], top, found.terms, "not_sure")
        unwanted = {self._synonyms.get(tag, tag) for tag in exclude}
        possible = [each for each in ranked if each.tag not in unwanted]
        size = best_size([each.confidence for each in possible], self._other_tags, max_tags)
        chosen = [each for each in possible[:size] if each.confidence >= min_confidence]
        return Prediction(chosen, top, found.terms, None if chosen else "not_sure")

    def rank(
        self, title: str, body: str = "", *, body_format: BodyFormat = "auto", limit: int = 10
    ) -> list[Suggestion]:
        """Give the likeliest tags, best first, whether or not they would be suggested."""
        question = self.vocabulary.number(tokenize(title, body, body_format))
        keys = self.vocabulary.keys_of(question)
        found = self.vocabulary.find(keys)
        return self._rank(question, keys, found)[:limit] if len(found.terms) else []

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
        terms, counts = self._find(title, body, body_format)
        places, lengths = self._places(terms)
        spoken = self._weights[places] * np.repeat(self._tfidf(terms, counts), lengths)
        of_tags, of_terms = self._weight_tags[places], np.repeat(terms, lengths)
        explanations = {}
        for tag in tags:
            number = self._numbers[tag]
            intercept = float(self._intercepts[number])
            mine = of_tags == number
            contributions = [
                Contribution(*self.vocabulary.spell(term), float(weight))
                for term, weight in zip(of_terms[mine], spoken[mine], strict=True)
            ]
            score = intercept + sum(each.weight for each in contributions)
            explanations[tag] = Explanation(score, intercept, contributions)
        return explanations

    def scores(self, title: str, body: str = "", body_format: BodyFormat = "auto") -> Floats:
        """Give each tag's raw score, the log-odds of its regression; shape (n_tags,)."""
        return self._scores(self._find(title, body, body_format))

    def _find(self, title: str, body: str, body_format: BodyFormat) -> FoundTerms:
        question = self.vocabulary.number(tokenize(title, body, body_format))
        return self.vocabulary.find(self.vocabulary.keys_of(question))

    def _scores(self, found: FoundTerms) -> Floats:
        places, lengths = self._places(found.terms)
        weights = self._tfidf(found.terms, found.counts)
        spoken = self._weights[places] * np.repeat(weights, lengths)
        scores = self._intercepts.astype(np.float64)
        scores += np.bincount(self._weight_tags[places], spoken, len(self.tags))
        return scores

    def _rank(
        self, question: QuestionNumbers, keys: QuestionKeys, found: FoundTerms
    ) -> list[Suggestion]:
        """Calibrate the candidates, best first."""
        candidates = best_candidates(self._scores(found))
        about = QuestionFacts(
            self._names.count(keys, candidates.tags),
            len(question.title.wholes),
            len(question.prose.wholes),
        )
        described = features(candidates, about, self._facts)
        sure = confidences(described, self._calibrator)
        order = np.argsort(-sure, kind="stable")
        tags = [self.tags[tag] for tag in candidates.tags[order].tolist()]
        return list(map(Suggestion, tags, sure[order].tolist()))

    def _places(self, terms: Ints) -> tuple[Ints, Ints]:
        """Say where the weights of terms are, term after term, and how many each term has."""
        starts = self._starts[terms]
        lengths = self._starts[terms + 1] - starts
        ends = lengths.cumsum()
        total = int(ends[-1]) if len(ends) else 0
        return np.arange(total) + np.repeat(starts - (ends - lengths), lengths), lengths

    def _tfidf(self, terms: Ints, counts: Floats) -> Floats:
        weights = (1 + np.log(counts)) * self._term_weights[terms]
        length = np.sqrt(weights @ weights)
        scaled: Floats = weights / length if length else weights
        return scaled


def _name_arrays(arrays: Mapping[str, Array]) -> NameArrays:
    return NameArrays(
        arrays["name_keys"].view(np.int64),
        arrays["names"].astype(np.intp),
        arrays["name_starts"].astype(np.intp),
        arrays["tag_names"].astype(np.intp),
    )
