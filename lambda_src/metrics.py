"""The names, units and dimensions of all metrics, for the functions and the infrastructure."""

from collections.abc import Iterator
from typing import Final, NamedTuple


class Metric(NamedTuple):
    """The name and the unit under which a metric is published and watched."""

    name: str
    unit: str
    """One of CloudWatch's units, for example Count, Milliseconds or None."""


NAMESPACE: Final = "Etiquette"
SERVICE_DIMENSION: Final = "service"
"""The dimension of all metrics. Its value is the name of the deployment."""
VERSION_DIMENSION: Final = "version"
"""A second dimension, of `FAILED_ANSWERS` only: the version of the function that answered."""

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
"""1 for each feedback and 0 for each prediction. Without the zeros, a service that gets no feedback
would have no datapoints, and an alarm could not tell silence from missing data."""
ARCHIVED_PREDICTIONS: Final = Metric("ArchivedPredictions", "Count")
"""How many predictions the event archive wrote to the event store."""
LINES_SET_ASIDE: Final = Metric("LinesSetAside", "Count")
"""How many lines the event archive set aside, because they are no events that it knows."""
FAILED_ANSWERS: Final = Metric("FailedAnswers", "Count")
"""1 for each 5xx answer that the function itself returned. Lambda counts only the invocations that
raised an exception, so it does not see these."""

PREDICTION_METRICS: Final = (
    PREDICTIONS,
    PREDICTIONS_WITH_TAGS,
    TAGS_PER_PREDICTION,
    MODEL_LATENCY,
    TOP_CONFIDENCE,
    UNKNOWN_WORD_SHARE,
    COLD_STARTS,
    FEEDBACKS,
)
"""The metrics that each prediction writes."""

MONITOR_RUNS: Final = Metric("MonitorRuns", "Count")
"""1 for each complete run of the monitor."""
EVENTS_SET_ASIDE: Final = Metric("EventsSetAside", "Count")
"""How many lines of the day so far the monitor could not read."""
FEEDBACK_WITHOUT_PREDICTION: Final = Metric("FeedbackWithoutPrediction", "Count")
"""How many feedbacks of the day so far name a prediction that does not exist."""
AUDITED_QUESTIONS: Final = Metric("AuditedQuestions", "Count")
"""How many questions the audits of the last three days asked, of all model versions."""

WINDOW_METRICS: Final = {
    "prediction_rate": Metric("WeeklyPredictionRate", "None"),
    "expected_jaccard": Metric("WeeklyExpectedJaccard", "None"),
    "sample_jaccard": Metric("WeeklyJaccard", "None"),
    "sample_f1": Metric("WeeklyF1", "None"),
    "micro_jaccard": Metric("WeeklyMicroJaccard", "None"),
    "micro_f1": Metric("WeeklyMicroF1", "None"),
    "precision_at_1": Metric("WeeklyPrecisionAt1", "None"),
    "acceptance_rate": Metric("WeeklyAcceptanceRate", "None"),
    "unknown_tag_share": Metric("WeeklyUnknownTagShare", "None"),
    "hits_of_expected": Metric("WeeklyHitsOfExpected", "None"),
    "calibration_error": Metric("WeeklyCalibrationError", "None"),
    "chosen_gap": Metric("WeeklyChosenGap", "None"),
    "audit_sample_jaccard": Metric("WeeklyAuditJaccard", "None"),
    "audit_sample_f1": Metric("WeeklyAuditF1", "None"),
    "audit_gap": Metric("WeeklyAuditGap", "None"),
}
"""The metrics of the monitor's figures over the last week, by the names of the figures. While there
is not enough data for a figure, its metric has no datapoint."""

DRIFT_METRICS: Final = {
    "data_drift": Metric("DataDrift", "Count"),
    "label_shift": Metric("LabelShift", "Count"),
    "slow_drift": Metric("SlowDrift", "Count"),
    "concept_drift": Metric("ConceptDrift", "Count"),
    "model_drift": Metric("ModelDrift", "Count"),
    "new_tag": Metric("NewTags", "Count"),
}
"""The metrics of the drift detectors by the kind of their findings: how many figures drifted, or
how many tags are new. While there is not enough data for a kind, its metric has no datapoint."""


def all_metrics() -> Iterator[Metric]:
    """Yield every metric of this module."""
    for value in globals().values():
        if isinstance(value, Metric):
            yield value
    yield from WINDOW_METRICS.values()
    yield from DRIFT_METRICS.values()
