"""Describe a model's predictions for questions that it was not trained on.

The monitor compares the predictions of the service with this baseline.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from lambda_src.monitor.drift.baseline import Baseline
from lambda_src.monitor.drift.observations import Predictions
from lambda_src.monitor.drift.rare_tags import RareTags
from lambda_src.tagger import Suggestion
from lambda_src.tagger.analyzer import QuestionTokens
from lambda_src.tagger.decoder import choose_tags, min_expected_jaccard
from lambda_src.tagger.evidence import Evidence, evidence, filler_numbers
from lambda_src.tagger.rules import MAX_TAGS, WORD_BITS
from lambda_src.tagger.vocabulary import FieldNumbers, Ints, QuestionNumbers, Vocabulary
from model_build.metrics import JudgedQuestion, calibration_bins, compute_metrics
from model_build.ranking import FittedRanking
from model_build.truth import Booleans
from model_build.vocabulary import FittedVocabulary

_UNDATED: Final = np.datetime64("1970-01-01", "D")


class WordUses(NamedTuple):
    """In how many questions of the corpus each word occurs; shape (n_words,) each."""

    in_text: Ints
    """In title or prose, or in code that speaks as text. 0: the word is no term of text."""
    in_code: Ints
    """0: the word is no term of code."""
    is_in_name: Booleans
    """Whether a tag's name contains the word. The model knows it then, however rare it is."""

    @classmethod
    def of_corpus(
        cls, matrix: sp.csr_matrix, vocabulary: FittedVocabulary, served: Vocabulary
    ) -> Self:
        """Count the questions of a corpus.

        Parameters
        ----------
        matrix : csr_matrix, shape (n_questions, n_terms)
            The terms of each question.
        vocabulary : FittedVocabulary
        served : Vocabulary
            The same words and terms, as the service will use them.
        """
        n_words = len(served.words)
        # The last entry is for terms without a column: their column is -1.
        of_columns = np.append(np.bincount(matrix.indices, minlength=matrix.shape[1]), 0)
        word_terms, _ = served.terms_by_word()
        uses = np.where(word_terms >= 0, of_columns[vocabulary.columns[word_terms]], 0)
        name_keys = vocabulary.keys[vocabulary.names.terms]
        mask = (1 << WORD_BITS) - 1
        followers = (name_keys & mask) - 1
        is_in_name = np.zeros(n_words, dtype=np.bool_)
        is_in_name[name_keys >> WORD_BITS & mask] = True
        is_in_name[followers[followers >= 0]] = True
        return cls(uses[:n_words], uses[n_words:], is_in_name)


def evidence_out_of_fold(
    tokens: Sequence[QuestionTokens],
    vocabulary: FittedVocabulary,
    matrix: sp.csr_matrix,
    *,
    title_weight: int,
    min_word_count: int,
) -> list[Evidence]:
    """Judge each question with the words that the model would know without this question.

    A word that occurs in just enough questions to be known would be unknown if this one were
    missing. So the share of known words is lower than the model itself would find it.

    Parameters
    ----------
    tokens : sequence of QuestionTokens, of length n_questions
    vocabulary : FittedVocabulary
    matrix : csr_matrix, shape (n_questions, n_terms)
        The terms of each question.
    title_weight, min_word_count : int
        See `model_build.features.FeatureOptions`.
    """
    served = vocabulary.as_served(title_weight)
    uses = WordUses.of_corpus(matrix, vocabulary, served)
    fillers = filler_numbers(served.number_of)
    is_rare = ~uses.is_in_name & (uses.in_text <= min_word_count) & (uses.in_code <= min_word_count)
    rare = frozenset(np.flatnonzero(is_rare).tolist())

    def without_own_words(question: QuestionNumbers) -> QuestionNumbers:
        in_code = {*question.code.wholes, *question.code.parts, *question.signals}

        def number(word: int) -> int:
            if word not in rare or uses.in_code[word] - (word in in_code) >= min_word_count:
                return word
            return served.unknown

        title, prose = (
            FieldNumbers([*map(number, field.wholes)], field.parts) for field in question[:2]
        )
        return question._replace(title=title, prose=prose)

    return [
        evidence(without_own_words(served.number(each)), served.unknown, fillers) for each in tokens
    ]


def drift_baseline(
    ranking: FittedRanking,
    judged_evidence: Sequence[Evidence],
    true_tags: Sequence[Sequence[str]],
    tags: Sequence[str],
    *,
    n_questions: int,
    uses: Mapping[str, int],
) -> Baseline:
    """Answer the questions of the corpus as the service would, and describe the answers.

    Parameters
    ----------
    ranking : FittedRanking
        Its shortlists are from regressions that did not see the question.
    judged_evidence : sequence of Evidence
        For the same questions; see `evidence_out_of_fold`.
    true_tags : sequence of sequence of str
        All tags of the same questions.
    tags : sequence of str
        The model's tags, in the order of their numbers.
    n_questions : int
        The size of the whole corpus.
    uses : mapping of str to int
        How many questions of the whole corpus have each tag.
    """
    known = frozenset(tags)
    figures, judged = [], []
    for (numbers, confidences), seen, truth in zip(
        ranking.ranked, judged_evidence, true_tags, strict=True
    ):
        ranked = confidences.tolist()
        size, expected_jaccard = choose_tags(ranked, ranking.other_tags, MAX_TAGS)
        if not seen.n_topic_words or expected_jaccard < min_expected_jaccard(
            seen.known_share, seen.n_topic_words, ranking.floor
        ):
            size = 0
        best = [
            Suggestion(tags[number], confidence)
            for number, confidence in zip(numbers[:size].tolist(), ranked, strict=False)
        ]
        judged.append(JudgedQuestion(frozenset(truth), best, best))
        code_share = seen.n_code_words / seen.n_words if seen.n_words else 0.0
        figures.append([ranked[0], seen.known_share, seen.n_words, code_share, expected_jaccard])
    predictions = Predictions(
        np.full(len(figures), _UNDATED),
        np.array(figures, dtype=np.float64),
        [[suggestion.tag for suggestion in each.suggested] for each in judged],
    )
    return Baseline.of(
        predictions,
        n_questions=n_questions,
        rare_tags=RareTags.of({tag: n for tag, n in uses.items() if tag not in known}),
        sample_jaccard=compute_metrics(judged, tags)["sample_jaccard"],
        calibration=calibration_bins(judged),
    )
