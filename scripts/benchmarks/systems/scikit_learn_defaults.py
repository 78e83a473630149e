"""What tutorials build: scikit-learn's TF-IDF and a logistic regression per tag, with defaults.

scikit-learn's user guide combines the two for text ("Classification of text documents using sparse
features", https://scikit-learn.org/stable/auto_examples/text/
plot_document_classification_20newsgroups.html), and uses one-vs-the-rest if a text has several tags
(https://scikit-learn.org/stable/modules/multiclass.html).
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from scripts.benchmarks.systems.one_vs_rest import OneVsRest
from scripts.benchmarks.systems.system import at_least
from scripts.benchmarks.systems.texts import plain_texts


def scikit_learn_defaults() -> OneVsRest:
    """Create the system; it suggests tags with a confidence of at least 0.2."""
    return OneVsRest(plain_texts, TfidfVectorizer(), LogisticRegression(), at_least(0.2))
