"""Sentence embeddings of MiniLM and a logistic regression per tag.

It takes the place of the Universal Sentence Encoder of the student system, and works offline. The
embedding follows the model card (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2): at
most 256 word pieces, the mean of the last layer, scaled to length 1. According to the card, the
model is for sentences and short paragraphs, so it reads title and prose without code. SetFit
recommends a logistic regression on top of a sentence transformer (https://huggingface.co/docs/
setfit/how_to/classification_heads). ``C`` and the threshold were chosen on validation data.
"""

from scripts.benchmarks.systems.embeddings import EmbeddingVectorizer
from scripts.benchmarks.systems.joint_regressions import JointLogisticRegressions
from scripts.benchmarks.systems.one_vs_rest import OneVsRest
from scripts.benchmarks.systems.system import at_least
from scripts.benchmarks.systems.texts import short_texts

REGULARIZATION = 3.0
MIN_CONFIDENCE = 0.2


def minilm() -> OneVsRest:
    """Create the system; it suggests tags with a confidence of at least 0.2."""
    regressions = JointLogisticRegressions(REGULARIZATION)
    return OneVsRest(short_texts, EmbeddingVectorizer(), regressions, at_least(MIN_CONFIDENCE))
