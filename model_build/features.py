"""TF-IDF of the three fields, fitted with scikit-learn on the analyzer's words."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from lambda_src.tagger.analyzer import FIELDS, QuestionWords, analyze, terms
from model_build.questions import Question


def words_of(questions: Iterable[Question]) -> list[QuestionWords]:
    """Analyze questions as the service will."""
    return [analyze(each.title, each.body_html, "html") for each in questions]


def fit_tfidf(
    words: Sequence[QuestionWords], field_weights: Mapping[str, float], min_term_count: int
) -> tuple[FeatureUnion, sp.csr_matrix]:
    """Fit one TF-IDF per field.

    Parameters
    ----------
    words : sequence of QuestionWords
    field_weights : mapping of str to float
        The length that a field's part of a question's vector is given.
    min_term_count : int
        Terms that stand in fewer questions are left out.

    Returns
    -------
    tfidf : FeatureUnion
        Fields without any term are not in it.
    matrix : csr_matrix of float64, shape (n_questions, n_terms)
    """
    vectorizers, blocks = [], []
    for field in FIELDS:
        vectorizer = TfidfVectorizer(
            analyzer=partial(_field_terms, field), sublinear_tf=True, min_df=min_term_count
        )
        try:
            block = vectorizer.fit_transform(words)
        except ValueError:  # scikit-learn's way of saying that no term is left
            continue
        vectorizers.append((field, vectorizer))
        blocks.append(block * field_weights[field])
    if not vectorizers:
        raise ValueError(f"no term stands in {min_term_count} questions: the corpus is too small")
    weights = {field: field_weights[field] for field, _ in vectorizers}
    return FeatureUnion(vectorizers, transformer_weights=weights), sp.hstack(blocks).tocsr()


def _field_terms(field: str, words: QuestionWords) -> list[str]:
    return terms(getattr(words, field))
