"""From a question's fields to its likeliest tags and the confidence of each."""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from lambda_src.tagger.analyzer import Fields, tokens_of
from lambda_src.tagger.bundle import Array, Bundle
from lambda_src.tagger.calibrator import (
    QuestionFacts,
    TagFacts,
    best_candidates,
    confidences,
    features,
)
from lambda_src.tagger.decoder import expected_jaccards
from lambda_src.tagger.evidence import Evidence, evidence, filler_numbers
from lambda_src.tagger.names import NameArrays, TagNames
from lambda_src.tagger.reranker import (
    CoOccurrence,
    CorpusFacts,
    Network,
    PairCounts,
    inputs,
    shortlist,
)
from lambda_src.tagger.rules import MAX_TAGS, N_QUESTION_FORMS, RERANKER_INPUTS
from lambda_src.tagger.scorer import Scorer, ScorerArrays
from lambda_src.tagger.vocabulary import FoundTerms, Vocabulary


class Ranking(NamedTuple):
    """The answer of a ranker to a question."""

    evidence: Evidence
    found: FoundTerms
    tags: list[int]
    """The numbers of the likeliest tags, best first; empty if no term was found."""
    confidences: list[float]
    """The confidence of each of those tags, between 0 and 1."""
    jaccards: list[float]
    """The expected Jaccard index of the first 1, 2, ... tags and the true tags, up to `MAX_TAGS`;
    see `lambda_src.tagger.decoder.expected_jaccards`."""


class Ranker(Protocol):
    """Ranks tags: `PlainRanker`, or `lambda_src.tagger.kernel.Kernel` in its place."""

    def rank(self, question: Fields) -> Ranking:
        """Rank the tags for a question."""


class PlainRanker:
    """The definition of the ranking: scorer, calibrator and re-ranker, one after the other.

    Parameters
    ----------
    bundle : Bundle
    vocabulary : Vocabulary
        The vocabulary of that bundle.

    Raises
    ------
    ValueError
        The bundle's arrays do not fit each other.
    """

    def __init__(self, bundle: Bundle, vocabulary: Vocabulary) -> None:
        arrays = bundle.arrays
        tags = bundle.manifest["tags"]
        self._vocabulary = vocabulary
        self.scorer = Scorer(_scorer_arrays(arrays))
        self._names = TagNames(_name_arrays(arrays), vocabulary)
        self.calibrator = arrays["calibrator"].astype(np.float64)
        """Shape (len(CALIBRATOR_FEATURES) + 1,): the weights of the features and the intercept."""
        self.other_tags: float = bundle.manifest["other_tags"]
        log_uses = np.log([max(n_uses, 1) for _, n_uses in tags])
        self.corpus = CorpusFacts(
            TagFacts(
                log_uses,
                arrays["name_worth"].astype(np.float64),
                arrays["lower_worth"].astype(np.float64),
                arrays["capital_worth"].astype(np.float64),
            ),
            arrays["records"].reshape(N_QUESTION_FORMS, -1).astype(np.float64),
            CoOccurrence(_pair_counts(bundle), len(tags)),
        )
        self.network = Network(
            arrays["hidden"].reshape(len(RERANKER_INPUTS) + 1, -1).astype(np.float64),
            arrays["output"].astype(np.float64),
        )

    @cached_property
    def _fillers(self) -> frozenset[int]:
        return filler_numbers(self._vocabulary.number_of)

    def rank(self, question: Fields) -> Ranking:
        """Rank the tags for a question."""
        numbers = self._vocabulary.number(tokens_of(question))
        judged = evidence(numbers, self._vocabulary.unknown, self._fillers)
        found = self._vocabulary.find(numbers)
        if not len(found.terms):
            return Ranking(judged, found, [], [], [])
        candidates = best_candidates(self.scorer.scores(found))
        facts = QuestionFacts(
            self._names.count(found, self._vocabulary.with_capital(numbers)),
            len(numbers.title.wholes),
            len(numbers.prose.wholes),
            len(numbers.code.wholes),
            self.scorer.off_topic_score(found),
        )
        candidate_features = features(candidates, facts, self.corpus.facts)
        odds = candidate_features @ self.calibrator[:-1] + self.calibrator[-1]
        listed = shortlist(candidates, odds)
        ranked = confidences(self.network.odds(inputs(listed, facts, self.corpus)))
        order = np.argsort(-ranked, kind="stable")
        in_order: list[float] = ranked[order].tolist()
        jaccards = expected_jaccards(in_order, self.other_tags, MAX_TAGS)
        return Ranking(judged, found, listed.tags[order].tolist(), in_order, jaccards)


def _scorer_arrays(arrays: Mapping[str, Array]) -> ScorerArrays:
    return ScorerArrays(
        arrays["term_weights"],
        arrays["weight_steps"],
        arrays["common_terms"],
        arrays["common_weights"],
        np.append(0, arrays["weights_count"].cumsum(dtype=np.intp)),
        arrays["weights_gap"],
        arrays["weights_value"],
        arrays["intercepts"],
        arrays["off_topic_weights"],
        arrays["off_topic_scale"],
    )


def _name_arrays(arrays: Mapping[str, Array]) -> NameArrays:
    return NameArrays(
        arrays["names"].astype(np.intp),
        arrays["name_starts"].astype(np.intp),
        arrays["tag_names"].astype(np.intp),
    )


def _pair_counts(bundle: Bundle) -> PairCounts:
    return PairCounts(
        bundle.arrays["pair_gaps"].cumsum(dtype=np.int64),
        bundle.arrays["pair_counts"].astype(np.intp),
        bundle.manifest["complete_questions"],
    )
