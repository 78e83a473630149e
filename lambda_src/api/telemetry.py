"""Metrics lines (EMF) and event lines about predictions and feedback.

They never contain the text of a question.
"""

import os
from collections.abc import Callable

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from lambda_src import metrics
from lambda_src.api.schemas import FeedbackRequest
from lambda_src.metrics import Metric
from lambda_src.tagger import Prediction


class Telemetry:
    """Writes the log lines that the metrics, alarms and events come from.

    Parameters
    ----------
    service : str
        The name of the deployment, which is a dimension of every metric.
    logger : Logger
        Writes the event lines.
    """

    def __init__(self, service: str, logger: Logger) -> None:
        self._service = service
        self._logger = logger
        self._metrics = EphemeralMetrics(namespace=metrics.NAMESPACE, service=service)
        self._is_cold_start = True
        self._recorders: list[Callable[[Metric, float], None]] = []

    def add_recorder(self, record: Callable[[Metric, float], None]) -> None:
        """Let another recorder receive each metric of a prediction or feedback with its value."""
        self._recorders.append(record)

    def record_prediction(
        self,
        prediction: Prediction,
        *,
        prediction_id: str,
        correlation_id: str,
        model_version: str,
        latency_ms: float,
    ) -> None:
        """Write one metrics line and one event line about a prediction.

        Parameters
        ----------
        prediction : Prediction
            The model's prediction.
        prediction_id, correlation_id, model_version : str
            The identifiers of the prediction, of the HTTP request and of the model.
        latency_ms : float
            The time that the model needed, in milliseconds.
        """
        suggestions = prediction.suggestions
        self._add(metrics.PREDICTIONS, 1)
        self._add(metrics.PREDICTIONS_WITH_TAGS, int(bool(suggestions)))
        self._add(metrics.TAGS_PER_PREDICTION, len(suggestions))
        self._add(metrics.MODEL_LATENCY, latency_ms)
        self._add(metrics.TOP_CONFIDENCE, prediction.top_confidence)
        self._add(metrics.UNKNOWN_WORD_SHARE, 1 - prediction.known_share)
        self._add(metrics.COLD_STARTS, int(self._is_cold_start))
        self._add(metrics.FEEDBACKS, 0)
        self._is_cold_start = False
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
            # Sorted, because in reading order the terms would reveal what the question says.
            terms=sorted(prediction.terms.tolist()),
            latency_ms=round(latency_ms, 3),
        )

    def record_feedback(
        self, feedback: FeedbackRequest, *, unknown_tags: list[str], correlation_id: str
    ) -> None:
        """Write one metrics line and one event line about feedback.

        Parameters
        ----------
        feedback : FeedbackRequest
            The validated feedback.
        unknown_tags : list of str
            Tags of the feedback that the model cannot suggest; many of them may mean a new tag.
        correlation_id : str
            The identifier of the HTTP request.
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

    def record_cold_start(self) -> None:
        """Count a cold start, unless this copy of the function has counted its own already.

        The handler calls this after each request. A prediction counts the cold start itself, so
        this writes a line only if the first request was not a counted prediction.
        """
        if self._is_cold_start:
            self._is_cold_start = False
            self._add(metrics.COLD_STARTS, 1)
            self._metrics.flush_metrics()

    def record_failed_answer(self) -> None:
        """Count a 5xx answer of this version of the function.

        A canary is judged by the new version's own answers, so the version is a dimension.
        """
        version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        failures = EphemeralMetrics(namespace=metrics.NAMESPACE, service=self._service)
        failures.add_dimension(metrics.VERSION_DIMENSION, version)
        failures.add_metric(metrics.FAILED_ANSWERS.name, metrics.FAILED_ANSWERS.unit, 1)
        failures.flush_metrics()

    def _add(self, metric: Metric, value: float) -> None:
        self._metrics.add_metric(metric.name, metric.unit, value)
        for record in self._recorders:
            record(metric, value)
