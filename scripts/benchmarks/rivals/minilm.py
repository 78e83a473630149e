"""Sentence embeddings of MiniLM and a logistic regression per tag.

The offline stand-in for the Universal Sentence Encoder of the replaced system. The embedding is
made as the model's card says (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2): at
most 256 word pieces, the mean of the last layer, scaled to length 1. The card means it for
sentences and short paragraphs, so it reads title and prose, no code. A logistic regression is what
SetFit recommends on top of a sentence transformer (https://huggingface.co/docs/setfit/how_to/
classification_heads). ``C`` and the cut were chosen on a validation part.
"""

from sklearn.linear_model import LogisticRegression

from scripts.benchmarks.rivals.embeddings import EmbeddingVectorizer
from scripts.benchmarks.rivals.one_vs_rest import OneVsRest
from scripts.benchmarks.rivals.rival import at_least
from scripts.benchmarks.rivals.texts import short_texts

REGULARIZATION = 3.0
LEAST_CONFIDENCE = 0.2


def minilm() -> OneVsRest:
    """MiniLM and logistic regression; a tag is suggested from 0.2."""
    regression = LogisticRegression(C=REGULARIZATION, max_iter=1000)
    return OneVsRest(short_texts, EmbeddingVectorizer(), regression, at_least(LEAST_CONFIDENCE))
