"""Names, units and dimensions of every metric: shared by the functions and the infrastructure."""

from typing import Final, NamedTuple


class Metric(NamedTuple):
    """A CloudWatch metric as it is published and as it is watched."""

    name: str
    unit: str
    """A unit of CloudWatch's list: Count, Milliseconds, None ..."""


NAMESPACE: Final = "Etiquette"
SERVICE_DIMENSION: Final = "service"
"""The only dimension of alarmed metrics: its value is the name of the deployed service."""

PREDICTIONS: Final = Metric("Predictions", "Count")
PREDICTIONS_WITH_TAGS: Final = Metric("PredictionsWithTags", "Count")
"""0 or 1 per prediction: its average is the prediction rate."""
TAGS_PER_PREDICTION: Final = Metric("TagsPerPrediction", "Count")
MODEL_LATENCY: Final = Metric("ModelLatency", "Milliseconds")
TOP_CONFIDENCE: Final = Metric("TopConfidence", "None")
UNKNOWN_WORD_SHARE: Final = Metric("UnknownWordShare", "None")
"""Of a question's words, how many the model has never seen, from 0 to 1."""
COLD_STARTS: Final = Metric("ColdStarts", "Count")
"""1 for the first request that a copy of the function answers, 0 for each later prediction: its sum
by Lambda's own invocations is the share. (Drafts write no line, so that an average is too high.)"""
FEEDBACKS: Final = Metric("Feedbacks", "Count")

PREDICTION_METRICS: Final = (
    PREDICTIONS,
    PREDICTIONS_WITH_TAGS,
    TAGS_PER_PREDICTION,
    MODEL_LATENCY,
    TOP_CONFIDENCE,
    UNKNOWN_WORD_SHARE,
    COLD_STARTS,
)
