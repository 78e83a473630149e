"""What tutorials build: scikit-learn's TF-IDF and a logistic regression per tag, cut at 0.2.

Both as scikit-learn makes them by default. Its user guide chains the two for text ("Classification
of text documents using sparse features", https://scikit-learn.org/stable/auto_examples/text/
plot_document_classification_20newsgroups.html) and takes one-vs-the-rest where a text has several
tags (https://scikit-learn.org/stable/modules/multiclass.html).
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from scripts.benchmarks.rivals.one_vs_rest import OneVsRest
from scripts.benchmarks.rivals.rival import at_least
from scripts.benchmarks.rivals.texts import plain_texts


def usual() -> OneVsRest:
    """TF-IDF and logistic regression with defaults; a tag is suggested from 0.2."""
    return OneVsRest(plain_texts, TfidfVectorizer(), LogisticRegression(), at_least(0.2))
