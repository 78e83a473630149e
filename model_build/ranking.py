"""Fit calibrator and re-ranker on scores from regressions that did not see the questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from tqdm import tqdm

from lambda_src.tagger.analyzer import QuestionTokens
from lambda_src.tagger.calibrator import QuestionFacts, confidences
from lambda_src.tagger.decoder import choose_tags
from lambda_src.tagger.reranker import shortlist
from lambda_src.tagger.rules import MAX_TAGS
from lambda_src.tagger.vocabulary import Floats, Ints
from model_build.calibration import Calibrator, NameFeatures, ScoredQuestion, are_true
from model_build.cross_fitting import cross_fit
from model_build.model_card import RankedTags
from model_build.reranking import Reranker, RerankerInputs, ShortlistedQuestion
from model_build.truth import Booleans
from model_build.vocabulary import FittedVocabulary

UNANSWERED_SHARE: Final = 0.02
"""The floor is chosen so that this share of the corpus's questions gets no suggestions."""


@dataclass(frozen=True)
class RankingCorpus:
    """The questions that calibrator and re-ranker are fitted on: those with complete tags."""

    questions: list[ScoredQuestion]
    """Each one scored by regressions that were fitted without its fold."""
    has_tag: sp.csr_matrix
    """Bool, shape (n_questions, n_tags)."""
    n_true_tags: Ints
    """Shape (n_questions,): all true tags, also those that the model does not know."""
    folds: Ints
    """Shape (n_questions,)."""
    is_copy: Booleans
    """Shape (n_questions,): whether a row was made from another row; see
    `model_build.code_copies` and `model_build.made_questions`."""
    log_uses: Floats
    """Shape (n_tags,): natural logarithm of the uses in the whole corpus."""
    tag_sets: sp.csr_matrix
    """Bool, shape (n_sets, n_tags): the tags of questions that are not in the corpus."""


@dataclass(frozen=True)
class FittedRanking:
    """What turns the scores of a question into confidences, and confidences into suggestions."""

    calibrator: Calibrator
    reranker_inputs: RerankerInputs
    reranker: Reranker
    other_tags: float
    """Mean number of true tags of a question that are not on its shortlist."""
    floor: float
    """Nothing is suggested if the expected Jaccard index of the best set is below this."""
    ranked: list[RankedTags]
    """The shortlist of each question of the corpus, without copies."""


def question_facts(
    tokens: Sequence[QuestionTokens],
    off_topic_scores: Sequence[float],
    vocabulary: FittedVocabulary,
    title_weight: int,
) -> list[QuestionFacts]:
    """Count the words and the names of tags of each question.

    Parameters
    ----------
    tokens : sequence of QuestionTokens
    off_topic_scores : sequence of float
        Of the same questions.
    vocabulary : FittedVocabulary
    title_weight : int
        How many times a word of the title counts.
    """
    served = vocabulary.as_served(title_weight)
    tag_names = vocabulary.tag_names(served)
    return [
        QuestionFacts(
            tag_names.count(served.find(numbers), served.with_capital(numbers)),
            len(each.title),
            len(each.prose),
            len(each.code),
            score,
        )
        for each, score in zip(
            tqdm(tokens, desc="names of tags", unit="question", disable=None),
            off_topic_scores,
            strict=True,
        )
        for numbers in [served.number(each)]
    ]


def fit_ranking(corpus: RankingCorpus, seed: int) -> FittedRanking:
    """Fit calibrator and re-ranker.

    What the features of a question take from the corpus is counted in the other folds. Otherwise
    the worth of a name, for example, would already contain the answer for the question itself.

    Parameters
    ----------
    corpus : RankingCorpus
    seed : int
        For the network of the re-ranker.
    """
    questions, has_tag, folds = corpus.questions, corpus.has_tag, corpus.folds
    name_features = NameFeatures(corpus.log_uses)
    features = cross_fit(name_features, questions, has_tag, folds, NameFeatures.transform)
    is_true = are_true(has_tag, [each.candidates.tags for each in questions])
    samples = np.concatenate(features)
    # Views of the one large array: a second copy of all features would fill the memory.
    features = np.split(samples, np.cumsum([len(each) for each in features])[:-1])
    calibrator = Calibrator().fit(samples, is_true)
    shortlisted = [
        ShortlistedQuestion(
            question.facts,
            shortlist(question.candidates, calibrator.decision_function(of_question)),
            is_copy,
        )
        for question, of_question, is_copy in zip(
            questions, features, corpus.is_copy.tolist(), strict=True
        )
    ]
    reranker_inputs = RerankerInputs(corpus.log_uses, corpus.tag_sets)
    inputs = cross_fit(reranker_inputs, shortlisted, has_tag, folds, RerankerInputs.transform)
    is_true = are_true(has_tag, [each.shortlist.tags for each in shortlisted])
    reranker = Reranker(random_state=seed).fit(np.concatenate(inputs), is_true)
    ranked = [
        _ranked(question.shortlist.tags, confidences(reranker.decision_function(of_question)))
        for question, of_question in zip(shortlisted, inputs, strict=True)
        if not question.is_copy
    ]
    n_shortlisted = [len(each.shortlist.tags) for each in shortlisted]
    is_found = is_true & ~np.repeat(corpus.is_copy, n_shortlisted)
    n_true_tags = corpus.n_true_tags[~corpus.is_copy].sum()
    other_tags = float(n_true_tags - is_found.sum()) / len(ranked)
    chosen = [choose_tags(each.confidences.tolist(), other_tags, MAX_TAGS) for each in ranked]
    expected = [each.expected_jaccard for each in chosen]
    return FittedRanking(
        calibrator=calibrator,
        reranker_inputs=reranker_inputs.fit(shortlisted, has_tag),
        reranker=reranker,
        other_tags=other_tags,
        floor=float(np.quantile(expected, UNANSWERED_SHARE)),
        ranked=ranked,
    )


def _ranked(tags: Ints, confidences: Floats) -> RankedTags:
    order = np.argsort(-confidences, kind="stable")
    return RankedTags(tags[order], confidences[order])
