"""The model as it answers: from a question to terms, scores and calibrated tags.

This package knows numpy and HTML. It knows nothing about AWS, HTTP or scikit-learn.
"""

from lambda_src.tagger.bundle import (
    BundleDigestError,
    BundleError,
    BundleFormatError,
    read_bundle,
)
from lambda_src.tagger.kernel import KernelError
from lambda_src.tagger.model import (
    Explanation,
    Prediction,
    RankerChoiceError,
    Suggestion,
    TagModel,
)

__all__ = [
    "BundleDigestError",
    "BundleError",
    "BundleFormatError",
    "Explanation",
    "KernelError",
    "Prediction",
    "RankerChoiceError",
    "Suggestion",
    "TagModel",
    "read_bundle",
]
