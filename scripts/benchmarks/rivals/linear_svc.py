"""A linear support vector machine per tag, on stemmed words and pairs of the three fields.

scikit-learn's user guide advises `LinearSVC` for large sparse matrices, scaled vectors, and a lower
``C`` where there is much noise (https://scikit-learn.org/stable/modules/svm.html, "Tips on
Practical Use"); its text example makes sublinear TF-IDF for it (https://scikit-learn.org/stable/
auto_examples/text/plot_document_classification_20newsgroups.html). ``C`` was chosen on a validation
part. It has no confidences: three tags.
"""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from scripts.benchmarks.rivals.one_vs_rest import OneVsRest
from scripts.benchmarks.rivals.rival import best_three
from scripts.benchmarks.rivals.texts import FieldTerms, fields

REGULARIZATION = 0.2


def linear_svc() -> OneVsRest:
    """Title, prose and code, each scaled to length 1; the three best tags."""
    vectorizer = FeatureUnion(
        [
            (field, TfidfVectorizer(analyzer=FieldTerms(field, pairs), sublinear_tf=True, min_df=2))
            for field, pairs in (("title", True), ("prose", True), ("code", False))
        ]
    )
    return OneVsRest(fields, vectorizer, LinearSVC(C=REGULARIZATION), best_three)
