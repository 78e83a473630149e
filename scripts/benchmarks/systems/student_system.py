"""The student system that Etiquette replaces.

Its vectorizer keeps only words that occur in at least 5 % of the questions (``min_df=0.05``). It
suggests the tags for which `LogisticRegression.predict` is true, which means a probability of at
least 0.5. All other settings are scikit-learn's defaults.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from scripts.benchmarks.systems.one_vs_rest import OneVsRest
from scripts.benchmarks.systems.system import at_least
from scripts.benchmarks.systems.texts import plain_texts


def student_system() -> OneVsRest:
    """Create the system; it suggests tags with a confidence of at least 0.5."""
    vectorizer = TfidfVectorizer(min_df=0.05)
    return OneVsRest(plain_texts, vectorizer, LogisticRegression(), at_least(0.5))
