"""A linear support vector machine per tag, on stemmed words and pairs of the three fields.

scikit-learn's user guide advises `LinearSVC` for large sparse matrices, scaled vectors, and a lower
``C`` where there is much noise (https://scikit-learn.org/stable/modules/svm.html, "Tips on
Practical Use"); its text example makes sublinear TF-IDF for it (https://scikit-learn.org/stable/
auto_examples/text/plot_document_classification_20newsgroups.html). ``C``, the title's weight
and terms shared by title and prose were chosen on a validation part. It has no confidences: three
tags.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from scripts.benchmarks.rivals.one_vs_rest import OneVsRest
from scripts.benchmarks.rivals.rival import best_three
from scripts.benchmarks.rivals.texts import TextTerms, code_words, fields

REGULARIZATION = 0.5
TITLE_WEIGHT = 3
CODE_WEIGHT = 0.5


def linear_svc() -> OneVsRest:
    """Terms of title and prose, and of code at half the weight; the three best tags."""
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
