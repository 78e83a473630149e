"""The model as it answers: a question in, calibrated tags out."""

import os
import unicodedata
from collections.abc import Collection
from typing import Literal, NamedTuple, Self

import numpy as np

from lambda_src.tagger.analyzer import fields_of
from lambda_src.tagger.bundle import Bundle, BundleFormatError, read_bundle
from lambda_src.tagger.contents import check_contents
from lambda_src.tagger.decoder import best_size
from lambda_src.tagger.kernel import Kernel
from lambda_src.tagger.markup import BodyFormat
from lambda_src.tagger.ranker import PlainRanker, Ranked, Ranker
from lambda_src.tagger.rules import MAX_TAGS, MIN_KNOWN_SHARE
from lambda_src.tagger.vocabulary import Floats, Integers, Vocabulary, Words

QuietReason = Literal["too_few_known_words", "no_topic", "not_sure"]


def tag_key(name: str) -> str:
    """Return the form in which names of tags are compared: ``C♯`` becomes ``c#``."""
    return unicodedata.normalize("NFKC", name).replace("♯", "#").strip().lower()


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
    terms: Integers
    """The model's terms in the question, each once."""
    known_share: float
    """Of the question's words that the model knows, from 0 to 1; 1 where it has no words."""
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

    Scores come from the scorer, confidences from the calibrator and the re-ranker, the set of
    tags from the decoder.

    Parameters
    ----------
    bundle : Bundle
    plain : bool
        True to answer without the compiled kernel even where it was built.

    Raises
    ------
    BundleFormatError
        The bundle's arrays do not fit each other.
    KernelError
        The kernel was built and cannot be loaded.
    """

    def __init__(self, bundle: Bundle, *, plain: bool = False) -> None:
        self.sha256 = bundle.sha256
        self.manifest = bundle.manifest
        try:
            check_contents(bundle.manifest, bundle.arrays)
            words = Words(bundle.arrays["words"])
            keys = bundle.arrays["terms"].view(np.int64)
            self.vocabulary = Vocabulary(words, keys, bundle.manifest["title_weight"])
            definition = PlainRanker(bundle, self.vocabulary)
            self._scorer = definition.scorer
            self._ranker: Ranker = definition
            if not plain and Kernel.can_rank(bundle):
                self._ranker = Kernel(bundle, self.vocabulary, definition)
            else:
                self.vocabulary.index()
        except (KeyError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise BundleFormatError(
                f"bundle {bundle.sha256[:12]}: {reason}. Train it again with "
                "'python -m model_build train' of this release."
            ) from None
        self.version: str = bundle.manifest["version"]
        self.tags: list[str] = [tag for tag, _ in bundle.manifest["tags"]]
        self._numbers = dict(zip(self.tags, range(len(self.tags)), strict=True))
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
        body_format : {"auto", "html", "markdown", "text"}
        max_tags : int
            At most that many suggestions.
        min_confidence : float
            None below it; the model has a floor of its own, under which it suggests nothing.
        exclude : collection of str
            Tags that are not to be suggested.
        """
        (known_share, has_topic), found, tags, sure = self._rank(title, body, body_format)
        terms = found.terms
        if known_share < MIN_KNOWN_SHARE or not len(terms):
            return Prediction([], 0.0, terms, known_share, "too_few_known_words")
        if not has_topic:
            return Prediction([], 0.0, terms, known_share, "no_topic")
        top = sure[0]
        if top < self._floor:
            return Prediction([], top, terms, known_share, "not_sure")
        if exclude:
            unwanted = {self._numbers.get(self.main_tag(name) or name) for name in exclude}
            kept = [place for place, tag in enumerate(tags) if tag not in unwanted]
            tags, sure = [tags[place] for place in kept], [sure[place] for place in kept]
        size = best_size(sure, self._other_tags, max_tags)
        chosen = [
            Suggestion(self.tags[tag], confidence)
            for tag, confidence in zip(tags[:size], sure[:size], strict=True)
            if confidence >= min_confidence
        ]
        reason: QuietReason | None = None if chosen else "not_sure"
        return Prediction(chosen, top, terms, known_share, reason)

    def main_tag(self, name: str) -> str | None:
        """Return the tag that a name means, or None if the model has no such tag.

        The name may be a tag or a synonym of one, in any case: ``JS`` means ``javascript``.
        """
        key = tag_key(name)
        tag = self._synonyms.get(key, key)
        return tag if tag in self._numbers else None

    def rank(
        self, title: str, body: str = "", *, body_format: BodyFormat = "auto", limit: int = 10
    ) -> list[Suggestion]:
        """Give the likeliest tags, best first, whether or not they would be suggested."""
        ranked = self._rank(title, body, body_format)
        return [
            Suggestion(self.tags[tag], confidence)
            for tag, confidence in zip(ranked.tags[:limit], ranked.confidences[:limit], strict=True)
        ]

    def explain(
        self, tags: Collection[str], title: str, body: str = "", *, body_format: BodyFormat = "auto"
    ) -> dict[str, Explanation]:
        """Name what each term of the question added to each tag's score.

        Parameters
        ----------
        tags : collection of str
            Tags that the model knows.
        title, body : str
        body_format : {"auto", "html", "markdown", "text"}

        Raises
        ------
        KeyError
            The model does not know one of the tags.
        """
        found = self._rank(title, body, body_format).found
        explanations = {}
        for tag in tags:
            number = self._numbers[tag]
            intercept = self._scorer.intercept(number)
            added = self._scorer.contributions(found, number)
            spoke = added.nonzero()[0]
            contributions = [
                Contribution(*self.vocabulary.spell(term), weight)
                for term, weight in zip(
                    found.terms[spoke].tolist(), added[spoke].tolist(), strict=True
                )
            ]
            score = intercept + sum(each.weight for each in contributions)
            explanations[tag] = Explanation(score, intercept, contributions)
        return explanations

    def scores(self, title: str, body: str = "", body_format: BodyFormat = "auto") -> Floats:
        """Give each tag's raw score, the log-odds of its regression; shape (n_tags,)."""
        return self._scorer.scores(self._rank(title, body, body_format).found)

    def _rank(self, title: str, body: str, body_format: BodyFormat) -> Ranked:
        return self._ranker.rank(fields_of(title, body, body_format))
