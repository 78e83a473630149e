"""The model as it answers: from a question to calibrated tags."""

import os
import unicodedata
from collections.abc import Collection
from typing import Final, Literal, NamedTuple, Self, get_args

from lambda_src.tagger.analyzer import fields_of
from lambda_src.tagger.bundle import Bundle, BundleFormatError, read_bundle
from lambda_src.tagger.contents import check_contents
from lambda_src.tagger.decoder import best_set, choose_tags, expected_jaccards, min_expected_jaccard
from lambda_src.tagger.kernel import Kernel
from lambda_src.tagger.markup import BodyFormat
from lambda_src.tagger.ranker import PlainRanker, Ranker, Ranking
from lambda_src.tagger.rules import MAX_TAGS, MIN_KNOWN_SHARE
from lambda_src.tagger.vocabulary import (
    Floats,
    Integers,
    TermArrays,
    Vocabulary,
    Words,
    term_keys,
)

RankerChoice = Literal["auto", "plain", "kernel"]
"""``plain`` is the definition in Python, ``kernel`` the compiled one; ``auto`` takes the kernel
where it can rank and the definition elsewhere."""
RANKER_VARIABLE: Final = "ETIQUETTE_RANKER"
"""The environment variable that chooses for a process."""

QuietReason = Literal["too_few_known_words", "no_topic", "not_sure"]


def tag_key(name: str) -> str:
    """Return the form in which names of tags are compared: ``C♯`` becomes ``c#``."""
    return unicodedata.normalize("NFKC", name).replace("♯", "#").strip().lower()


class Suggestion(NamedTuple):
    """A tag and the model's confidence that the question has it."""

    tag: str
    confidence: float
    """Between 0 and 1."""


class Prediction(NamedTuple):
    """The model's answer to one question."""

    suggestions: list[Suggestion]
    """Best first; empty if the model stays quiet."""
    top_confidence: float
    """The confidence of the best tag, suggested or not; 0 if the model knows none of its terms."""
    terms: Integers
    """The model's terms in the question, each once."""
    known_share: float
    """The share of the question's words that the model knows, from 0 to 1; 1 if it has no words."""
    n_words: int
    """How many words of the question the model read, those of its code included."""
    code_share: float
    """The share of those words that are in the code, from 0 to 1; 0 if there are no words."""
    expected_jaccard: float
    """The expected Jaccard index of the suggestions and the true tags, from 0 to 1.

    If there are no suggestions, that of the best set which was withheld; 0 if no tag had enough
    confidence. Tags that the caller excluded count as tags that the question does not have."""
    quiet_reason: QuietReason | None = None
    """Why there are no suggestions; None if there are some."""


class Contribution(NamedTuple):
    """What one term of a question added to a tag's score."""

    space: str
    """``text`` (title and prose) or ``code``."""
    term: str
    weight: float
    """In log-odds."""


class Explanation(NamedTuple):
    """Why a tag has its score, which is the sum of the intercept and all contributions."""

    score: float
    intercept: float
    terms: list[Contribution]


class RankerChoiceError(ValueError):
    """There is no implementation of the ranker with this name."""


class TagModel:
    """TF-IDF and one logistic regression per tag.

    Scores come from the scorer, confidences from the calibrator and the re-ranker, and the set of
    tags comes from the decoder.

    Parameters
    ----------
    bundle : Bundle
    ranker : {"auto", "plain", "kernel"}, optional
        The implementation that ranks. By default the environment variable ETIQUETTE_RANKER names
        it; if that is not set, it is ``auto``.

    Raises
    ------
    BundleFormatError
        The bundle was trained with another analyzer version, or its contents do not fit each other.
    KernelError
        The kernel is there and cannot be loaded, or ``kernel`` was chosen and cannot rank.
    RankerChoiceError
        `ranker` or ETIQUETTE_RANKER has another value.
    """

    def __init__(self, bundle: Bundle, *, ranker: RankerChoice | None = None) -> None:
        choice = _ranker_choice(ranker)
        self.sha256 = bundle.sha256
        self.manifest = bundle.manifest
        try:
            check_contents(bundle.manifest, bundle.arrays)
            words = Words(bundle.arrays["words"])
            arrays = TermArrays(*(bundle.arrays[name] for name in TermArrays._fields))
            keys = term_keys(arrays, len(words), len(bundle.arrays["term_weights"]))
            self.vocabulary = Vocabulary(words, keys, bundle.manifest["title_weight"])
            definition = PlainRanker(bundle, self.vocabulary)
            self._scorer = definition.scorer
            self._ranker: Ranker = definition
            if choice == "kernel" or (choice == "auto" and Kernel.can_rank(bundle)):
                self._ranker = Kernel(bundle, self.vocabulary, definition)
            else:
                self.vocabulary.check_words()
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise BundleFormatError(
                f"Bundle {bundle.sha256[:12]}: {reason}. Train it again with "
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
        """Read a bundle file and make a model; raises `BundleError` and what the class raises."""
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
            The largest number of suggestions.
        min_confidence : float
            Suggest no tag with a lower confidence. The model has limits of its own: for each tag,
            and for the expected Jaccard index of the set, below which it suggests nothing.
        exclude : collection of str
            Do not suggest these tags, or the tags that these are synonyms of.
        """
        evidence, found, tags, confidences, jaccards = self._rank(title, body, body_format)
        known_share, n_topic_words, n_words, n_code_words = evidence
        facts = (
            confidences[0] if confidences else 0.0,
            found.terms,
            known_share,
            n_words,
            n_code_words / n_words if n_words else 0.0,
        )
        # The model is quiet or not whatever the caller's options are, which only shorten an answer.
        chosen = best_set(confidences, jaccards)
        is_familiar = known_share >= MIN_KNOWN_SHARE
        reason: QuietReason | None = None
        if not len(found.terms):
            reason = "too_few_known_words"
        elif not n_topic_words:
            reason = "no_topic"
        elif chosen.expected_jaccard < min_expected_jaccard(
            known_share, n_topic_words, self._floor
        ):
            reason = "not_sure" if is_familiar else "too_few_known_words"
        if reason is not None:
            return Prediction([], *facts, chosen.expected_jaccard, reason)
        if exclude:
            excluded = {self._numbers.get(self.main_tag(name) or name) for name in exclude}
            kept = [place for place, tag in enumerate(tags) if tag not in excluded]
            tags, confidences = [tags[n] for n in kept], [confidences[n] for n in kept]
        if exclude or max_tags < MAX_TAGS:
            chosen = choose_tags(confidences, self._other_tags, max_tags)
        size, expected = chosen
        suggestions = [
            Suggestion(self.tags[tag], confidence)
            for tag, confidence in zip(tags[:size], confidences[:size], strict=True)
            if confidence >= min_confidence
        ]
        if 0 < len(suggestions) < size:
            expected = expected_jaccards(confidences, self._other_tags, max_tags)[
                len(suggestions) - 1
            ]
        return Prediction(suggestions, *facts, expected, None if suggestions else "not_sure")

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
        """Give the likeliest tags, best first, whether they would be suggested or not."""
        ranked = self._rank(title, body, body_format)
        return [
            Suggestion(self.tags[tag], confidence)
            for tag, confidence in zip(ranked.tags[:limit], ranked.confidences[:limit], strict=True)
        ]

    def explain(
        self, tags: Collection[str], title: str, body: str = "", *, body_format: BodyFormat = "auto"
    ) -> dict[str, Explanation]:
        """Give what each term of the question added to the score of each tag.

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
            weights = self._scorer.contributions(found, number).tolist()
            contributions = [
                Contribution(*self.vocabulary.spell(term), weight)
                for term, weight in zip(found.terms.tolist(), weights, strict=True)
                if weight
            ]
            score = intercept + sum(each.weight for each in contributions)
            explanations[tag] = Explanation(score, intercept, contributions)
        return explanations

    def scores(self, title: str, body: str = "", body_format: BodyFormat = "auto") -> Floats:
        """Give each tag's raw score, the log-odds of its regression; shape (n_tags,)."""
        return self._scorer.scores(self._rank(title, body, body_format).found)

    def _rank(self, title: str, body: str, body_format: BodyFormat) -> Ranking:
        return self._ranker.rank(fields_of(title, body, body_format))


def _ranker_choice(ranker: RankerChoice | None) -> RankerChoice:
    value = os.environ.get(RANKER_VARIABLE, "auto") if ranker is None else ranker
    for choice in get_args(RankerChoice):
        if value == choice:
            return choice  # type: ignore[no-any-return]
    source = RANKER_VARIABLE if ranker is None else "ranker"
    raise RankerChoiceError(f"{source} is {value!r}, but it must be 'auto', 'plain' or 'kernel'.")
