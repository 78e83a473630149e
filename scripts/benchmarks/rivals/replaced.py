"""The set-up of the system that Etiquette replaces.

Its vectorizer keeps the words of at least 5 % of the questions (``min_df=0.05``) and its tags are
those that `LogisticRegression.predict` says yes to, which is from 0.5. Everything else is
scikit-learn's default.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from scripts.benchmarks.rivals.one_vs_rest import OneVsRest
from scripts.benchmarks.rivals.rival import at_least
from scripts.benchmarks.rivals.texts import plain_texts


def replaced() -> OneVsRest:
    """TF-IDF of the commonest words and logistic regression; a tag is suggested from 0.5."""
    vectorizer = TfidfVectorizer(min_df=0.05)
    return OneVsRest(plain_texts, vectorizer, LogisticRegression(), at_least(0.5))
