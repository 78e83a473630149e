"""A linear support vector machine per tag, on stemmed words and word pairs of the three fields.

scikit-learn's user guide recommends `LinearSVC` for large sparse matrices, scaled vectors, and a
lower ``C`` for noisy data (https://scikit-learn.org/stable/modules/svm.html, "Tips on Practical
Use"). Its text example uses sublinear TF-IDF (https://scikit-learn.org/stable/auto_examples/text/
plot_document_classification_20newsgroups.html). ``C``, the weight of the title, and common terms
for title and prose were chosen on validation data. It has no confidences, so it suggests three
tags.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from scripts.benchmarks.systems.one_vs_rest import OneVsRest
from scripts.benchmarks.systems.system import best_three
from scripts.benchmarks.systems.texts import TextTerms, code_words, fields

REGULARIZATION = 0.5
TITLE_WEIGHT = 3
CODE_WEIGHT = 0.5


def linear_svc() -> OneVsRest:
    """Create the system: terms of title and prose, and terms of code at half the weight."""
    vectorizer = FeatureUnion(
        [
            (
                "text",
                TfidfVectorizer(analyzer=TextTerms(TITLE_WEIGHT), sublinear_tf=True, min_df=2),
            ),
            ("code", TfidfVectorizer(analyzer=code_words, sublinear_tf=True, min_df=2)),
        ],
        transformer_weights={"code": CODE_WEIGHT},
    )
    return OneVsRest(fields, vectorizer, LinearSVC(C=REGULARIZATION), best_three)
