"""Fit TF-IDF with scikit-learn, on the words that the analyzer finds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Normalizer

from lambda_src.tagger.analyzer import QuestionTokens, pairs, speaks_as_text, tokenize, words
from lambda_src.tagger.rules import MAX_PAIRED_WORDS
from model_build.errors import UserError
from model_build.questions import Question


class NotEnoughQuestionsError(UserError):
    """The corpus has too few questions to train a model."""


@dataclass(frozen=True)
class FeatureOptions:
    """How a question becomes a vector. docs/quality.md has the measurements behind the defaults."""

    title_weight: int = 4
    """How many times a word of the title counts."""
    word_weight: float = 1.0
    pair_weight: float = 0.5
    code_weight: float = 0.5
    rarity: float = 1.7
    """The exponent of the inverse document frequency. Above 1, rare terms count more than in plain
    TF-IDF."""
    min_word_count: int = 3
    """A word that occurs in fewer questions is left out."""
    min_pair_count: int = 5
    """A pair of neighbouring words that occurs in fewer questions is left out."""


def tokens_of(questions: Iterable[Question]) -> list[QuestionTokens]:
    """Find the words of questions as the service will."""
    return [tokenize(each.title, each.body, each.body_format) for each in questions]


def fit_tfidf(
    tokens: Sequence[QuestionTokens], options: FeatureOptions
) -> tuple[Pipeline, sp.csr_matrix]:
    """Fit TF-IDF for three kinds of terms: words and pairs of title and prose, and words of code.

    Parameters
    ----------
    tokens : sequence of QuestionTokens
    options : FeatureOptions

    Returns
    -------
    tfidf : Pipeline
        Its step ``terms`` is a union of vectorizers named ``word``, ``pair`` and ``code``, without
        those that found no term. Its step ``scaling`` scales each question to length 1.
    matrix : csr_matrix of float64, shape (n_questions, n_terms)

    Raises
    ------
    NotEnoughQuestionsError
        No term occurs in enough questions.
    """
    kinds = {
        "word": (_TextWords(options.title_weight), options.word_weight, options.min_word_count),
        "pair": (_TextPairs(options.title_weight), options.pair_weight, options.min_pair_count),
        "code": (_code_words, options.code_weight, options.min_word_count),
    }
    vectorizers, weights, blocks = [], {}, []
    for kind, (analyzer, weight, min_count) in kinds.items():
        vectorizer = TfidfVectorizer(
            analyzer=analyzer, sublinear_tf=True, norm=None, min_df=min_count
        )
        try:
            block = vectorizer.fit_transform(tokens)
        except ValueError:  # No term occurs in enough questions.
            continue
        idf = vectorizer.idf_
        vectorizer.idf_ = idf**options.rarity
        vectorizers.append((kind, vectorizer))
        weights[kind] = weight
        blocks.append(block @ sp.diags(weight * idf ** (options.rarity - 1)))
    if not vectorizers:
        raise NotEnoughQuestionsError(
            f"No word occurs in {options.min_word_count} of these {len(tokens)} questions. "
            "Give more files."
        )
    union = FeatureUnion(vectorizers, transformer_weights=weights)
    scaling = Normalizer()
    matrix = scaling.fit_transform(sp.hstack(blocks, format="csr"))
    # Otherwise scikit-learn sorts the sample of every regression.
    matrix.sort_indices()
    return Pipeline([("terms", union), ("scaling", scaling)]), matrix


@dataclass(frozen=True)
class _TextWords:
    title_weight: int

    def __call__(self, tokens: QuestionTokens) -> list[str]:
        in_code = filter(speaks_as_text, dict.fromkeys(words(tokens.code)))
        return [
            *words(tokens.title) * self.title_weight,
            *words(tokens.prose),
            *in_code,
            *tokens.camel_parts,
        ]


@dataclass(frozen=True)
class _TextPairs:
    title_weight: int

    def __call__(self, tokens: QuestionTokens) -> list[str]:
        return pairs(tokens.title) * self.title_weight + pairs(tokens.prose[:MAX_PAIRED_WORDS])


def _code_words(tokens: QuestionTokens) -> list[str]:
    return words(tokens.code) + tokens.signals
