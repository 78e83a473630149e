"""One metrics line (EMF) and one event line per counted request. Never the question's text."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from lambda_src import metrics
from lambda_src.api.schemas import FeedbackRequest
from lambda_src.metrics import Metric
from lambda_src.tagger import Prediction


class Telemetry:
    """Writes the lines that metrics, alarms and the monitor live on.

    Parameters
    ----------
    service : str
        The value of the metrics' one dimension.
    logger : Logger
    """

    def __init__(self, service: str, logger: Logger) -> None:
        self._logger = logger
        self._metrics = EphemeralMetrics(namespace=metrics.NAMESPACE, service=service)
        self._is_cold = True

    def prediction(
        self,
        prediction: Prediction,
        *,
        prediction_id: str,
        correlation_id: str,
        model_version: str,
        latency_ms: float,
    ) -> None:
        """Write a prediction's two lines.

        Parameters
        ----------
        prediction : Prediction
        prediction_id, correlation_id, model_version : str
        latency_ms : float
            What the model took, in milliseconds.
        """
        suggestions = prediction.suggestions
        self._add(metrics.PREDICTIONS, 1)
        self._add(metrics.PREDICTIONS_WITH_TAGS, int(bool(suggestions)))
        self._add(metrics.TAGS_PER_PREDICTION, len(suggestions))
        self._add(metrics.MODEL_LATENCY, latency_ms)
        self._add(metrics.TOP_CONFIDENCE, prediction.top_confidence)
        self._add(metrics.UNKNOWN_WORD_SHARE, 1 - prediction.known_share)
        self._add(metrics.COLD_STARTS, int(self._is_cold))
        self._is_cold = False
        self._metrics.flush_metrics()
        self._logger.info(
            "prediction",
            event_type="prediction",
            prediction_id=prediction_id,
            correlation_id=correlation_id,
            model_version=model_version,
            tags=[each.tag for each in suggestions],
            confidences=[round(each.confidence, 4) for each in suggestions],
            top_confidence=round(prediction.top_confidence, 4),
            # In reading order they would tell what the question says.
            terms=sorted(prediction.terms.tolist()),
            latency_ms=round(latency_ms, 3),
        )

    def feedback(
        self, feedback: FeedbackRequest, *, unknown_tags: list[str], correlation_id: str
    ) -> None:
        """Write a feedback's two lines.

        Parameters
        ----------
        feedback : FeedbackRequest
        unknown_tags : list of str
            Its tags that the model does not know: evidence of new ones.
        correlation_id : str
        """
        self._add(metrics.FEEDBACKS, 1)
        self._metrics.flush_metrics()
        self._logger.info(
            "feedback",
            event_type="feedback",
            prediction_id=feedback.prediction_id,
            correlation_id=correlation_id,
            accepted=feedback.accepted,
            final_tags=feedback.final_tags,
            unknown_tags=unknown_tags,
        )

    def answered(self) -> None:
        """Count a cold start whose first request was no prediction; a line at most once."""
        if self._is_cold:
            self._is_cold = False
            self._add(metrics.COLD_STARTS, 1)
            self._metrics.flush_metrics()

    def _add(self, metric: Metric, value: float) -> None:
        self._metrics.add_metric(metric.name, metric.unit, value)
