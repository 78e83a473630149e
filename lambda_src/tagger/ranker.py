"""From a question's texts to the likeliest tags and how likely each is."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from lambda_src.tagger.analyzer import Fields, cut
from lambda_src.tagger.bundle import Array, Bundle
from lambda_src.tagger.calibrator import (
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.reranker import (
    CoOccurrence,
    CorpusFacts,
    Network,
    PairCounts,
    inputs,
    shortlist,
)
from lambda_src.tagger.rules import RERANKER_INPUTS
from lambda_src.tagger.scorer import Scorer, ScorerArrays
from lambda_src.tagger.vocabulary import FoundTerms, KnownWords, Vocabulary


class Ranking(NamedTuple):
    """What is said of a question."""

    known: KnownWords
    found: FoundTerms
    tags: list[int]
    """The numbers of the likeliest tags, best first; empty where no term was found."""
    confidences: list[float]
    """Of each of those, between 0 and 1."""


class Ranker(Protocol):
    """What ranks the tags: `PlainRanker`, or `lambda_src.tagger.kernel.Kernel` in its place."""

    def rank(self, question: Fields) -> Ranking:
        """Rank the tags for a question."""


class PlainRanker:
    """The definition: scorer, calibrator and re-ranker, one after the other.

    Parameters
    ----------
    bundle : Bundle
    vocabulary : Vocabulary
        Of that bundle.

    Raises
    ------
    ValueError
        The bundle's arrays do not fit each other.
    """

    def __init__(self, bundle: Bundle, vocabulary: Vocabulary) -> None:
        arrays = bundle.arrays
        counts = bundle.manifest["tags"]
        self._vocabulary = vocabulary
        self.scorer = Scorer(_scorer_arrays(arrays))
        self._names = TagNames(_name_arrays(arrays), vocabulary)
        self.calibrator = arrays["calibrator"].astype(np.float64)
        """Shape (len(CALIBRATOR_FEATURES) + 1,): the weights of the features and the intercept."""
        log_uses = np.log([max(count, 1) for _, count in counts])
        self.corpus = CorpusFacts(
            TagFacts(log_uses, arrays["name_worth"].astype(np.float64)),
            arrays["records"].astype(np.float64),
            CoOccurrence(_pair_counts(bundle), len(counts)),
        )
        self.network = Network(
            arrays["hidden"].reshape(len(RERANKER_INPUTS) + 1, -1).astype(np.float64),
            arrays["output"].astype(np.float64),
        )

    def rank(self, question: Fields) -> Ranking:
        """Rank the tags for a question."""
        numbers = self._vocabulary.number(cut(question))
        known = self._vocabulary.known_words(numbers)
        found = self._vocabulary.find(numbers)
        if not len(found.terms):
            return Ranking(known, found, [], [])
        candidates = best_candidates(self.scorer.scores(found))
        about = QuestionFacts(
            self._names.count(found),
            len(numbers.title.wholes),
            len(numbers.prose.wholes),
        )
        described = features(candidates, about, self.corpus.facts)
        listed = shortlist(candidates, described @ self.calibrator[:-1] + self.calibrator[-1])
        sure = confidences(self.network.odds(inputs(listed, about, self.corpus)))
        order = np.argsort(-sure, kind="stable")
        return Ranking(known, found, listed.tags[order].tolist(), sure[order].tolist())


def _scorer_arrays(arrays: Mapping[str, Array]) -> ScorerArrays:
    return ScorerArrays(
        arrays["term_weights"],
        arrays["weight_steps"],
        arrays["common_terms"],
        arrays["common_weights"],
        arrays["weights_start"],
        arrays["weights_tag"],
        arrays["weights_value"],
        arrays["intercepts"],
    )


def _name_arrays(arrays: Mapping[str, Array]) -> NameArrays:
    return NameArrays(
        arrays["names"].astype(np.intp),
        arrays["name_starts"].astype(np.intp),
        arrays["tag_names"].astype(np.intp),
    )


def _pair_counts(bundle: Bundle) -> PairCounts:
    return PairCounts(
        bundle.arrays["pairs"].astype(np.int64),
        bundle.arrays["pair_counts"].astype(np.intp),
        bundle.manifest["complete_questions"],
    )
