"""The names, units and dimensions of all metrics, for the functions and the infrastructure."""

from typing import Final, NamedTuple


class Metric(NamedTuple):
    """The name and the unit under which a metric is published and watched."""

    name: str
    unit: str
    """One of CloudWatch's units, for example Count, Milliseconds or None."""


NAMESPACE: Final = "Etiquette"
SERVICE_DIMENSION: Final = "service"
"""The only dimension of the metrics. Its value is the name of the deployment."""

PREDICTIONS: Final = Metric("Predictions", "Count")
PREDICTIONS_WITH_TAGS: Final = Metric("PredictionsWithTags", "Count")
"""0 or 1 for each prediction; the average is the prediction rate."""
TAGS_PER_PREDICTION: Final = Metric("TagsPerPrediction", "Count")
MODEL_LATENCY: Final = Metric("ModelLatency", "Milliseconds")
TOP_CONFIDENCE: Final = Metric("TopConfidence", "None")
UNKNOWN_WORD_SHARE: Final = Metric("UnknownWordShare", "None")
"""The share of a question's words that the model does not know, from 0 to 1."""
COLD_STARTS: Final = Metric("ColdStarts", "Count")
"""1 for the first request that a copy of the function answers, 0 for each later prediction. The sum
divided by Lambda's invocations is the share of cold starts. The average would be too high, because
drafts do not publish metrics."""
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
