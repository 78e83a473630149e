"""Metrics lines (EMF) and event lines about predictions and feedback.

They contain the text of a question only if the operator switches it on (ETIQUETTE_EVENT_TEXT).
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from lambda_src import metrics
from lambda_src.api.feedback_schemas import FeedbackRequest
from lambda_src.api.log_text import write_json
from lambda_src.api.schemas import PredictRequest
from lambda_src.metrics import Metric
from lambda_src.tagger import Prediction

EVENT_VERSION: Final = 1
"""The version of the form of the event lines. Readers set aside lines of a version that they do not
know, so a change that a reader must know about needs a new one."""
MAX_EVENT_TEXT_BYTES: Final = 100_000
"""The longest title or body of an event, as JSON in UTF-8. CloudWatch Logs takes lines of at most
256 KiB everywhere, and the numbers of the terms need up to 30 KB of them."""


def make_logger(service: str, level: str) -> Logger:
    """Create the logger of the service, which writes a JSON object per line.

    The monitor sorts events into days by their times, so they are in UTC and in ISO 8601.
    """
    return Logger(
        service=service,
        level=level,
        use_rfc3339=True,
        utc=True,
        json_serializer=write_json,
        # By default, Powertools tries to parse each message as JSON.
        json_deserializer=str,
    )


class Telemetry:
    """Writes the log lines that the metrics, alarms and events come from.

    Parameters
    ----------
    service : str
        The name of the deployment, which is a dimension of every metric.
    logger : Logger
        Writes the event lines.
    event_text : bool
        Whether the event of a prediction contains the question's title and body.
    """

    def __init__(self, service: str, logger: Logger, *, event_text: bool = False) -> None:
        self._service = service
        self._logger = logger
        self._event_text = event_text
        self._metrics = EphemeralMetrics(namespace=metrics.NAMESPACE, service=service)
        self._is_cold_start = True
        self._recorders: list[Callable[[Metric, float], None]] = []

    def add_recorder(self, record: Callable[[Metric, float], None]) -> None:
        """Let another recorder receive each metric of a prediction or feedback with its value."""
        self._recorders.append(record)

    def record_prediction(
        self,
        prediction: Prediction,
        question: PredictRequest,
        *,
        prediction_id: str,
        correlation_id: str,
        model_version: str,
        source: Literal["single", "batch"],
        latency_ms: float,
        principal: str | None = None,
    ) -> None:
        """Write one metrics line and one event line about a prediction.

        Parameters
        ----------
        prediction : Prediction
            The model's prediction.
        question : PredictRequest
            The request, for the options that the caller set.
        prediction_id, correlation_id, model_version : str
            The identifiers of the prediction, of the HTTP request and of the model.
        source : {"single", "batch"}
            The operation that the caller used.
        latency_ms : float
            The time that the model needed, in milliseconds.
        principal : str, optional
            The pseudonym of the caller.
        """
        suggestions = prediction.suggestions
        set_by_caller = question.model_fields_set
        text = _event_text(question) if self._event_text else {}
        self._write(
            {
                metrics.PREDICTIONS: 1,
                metrics.PREDICTIONS_WITH_TAGS: int(bool(suggestions)),
                metrics.TAGS_PER_PREDICTION: len(suggestions),
                metrics.MODEL_LATENCY: latency_ms,
                metrics.TOP_CONFIDENCE: prediction.top_confidence,
                metrics.UNKNOWN_WORD_SHARE: 1 - prediction.known_share,
                metrics.COLD_STARTS: int(self._is_cold_start),
                metrics.FEEDBACKS: 0,
            }
        )
        self._is_cold_start = False
        self._logger.info(
            "prediction",
            event_version=EVENT_VERSION,
            event_type="prediction",
            prediction_id=prediction_id,
            correlation_id=correlation_id,
            model_version=model_version,
            tags=[each.tag for each in suggestions],
            confidences=[round(each.confidence, 4) for each in suggestions],
            top_confidence=round(prediction.top_confidence, 4),
            expected_jaccard=round(prediction.expected_jaccard, 4),
            known_share=round(prediction.known_share, 4),
            quiet_reason=prediction.quiet_reason,
            # Sorted, because in reading order the terms would reveal what the question says.
            terms=sorted(prediction.terms.tolist()),
            words=prediction.n_words,
            code_share=round(prediction.code_share, 4),
            max_tags=question.max_tags if "max_tags" in set_by_caller else None,
            min_confidence=question.min_confidence if "min_confidence" in set_by_caller else None,
            excluded=len(question.exclude) if "exclude" in set_by_caller else None,
            source=source,
            latency_ms=round(latency_ms, 3),
            principal=principal,
            **text,
        )

    def record_feedback(
        self,
        feedback: FeedbackRequest,
        *,
        unknown_tags: list[str],
        correlation_id: str,
        authenticated: bool,
        principal: str | None = None,
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
        authenticated : bool
            Whether API Gateway identified the caller.
        principal : str, optional
            The pseudonym of the caller.
        """
        self._write({metrics.FEEDBACKS: 1})
        self._logger.info(
            "feedback",
            event_version=EVENT_VERSION,
            event_type="feedback",
            prediction_id=feedback.prediction_id,
            correlation_id=correlation_id,
            accepted=feedback.accepted,
            final_tags=feedback.final_tags,
            unknown_tags=unknown_tags,
            authenticated=authenticated,
            principal=principal,
        )

    def record_cold_start(self) -> None:
        """Count a cold start, unless this copy of the function has counted its own already.

        The handler calls this after each request. A prediction counts the cold start itself, so
        this writes a line only if the first request was not a counted prediction.
        """
        if self._is_cold_start:
            self._is_cold_start = False
            self._write({metrics.COLD_STARTS: 1})

    def record_failed_answer(self) -> None:
        """Count a 5xx answer of this version of the function.

        A canary is judged by the new version's own answers, so the version is a dimension.
        """
        version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        failures = EphemeralMetrics(namespace=metrics.NAMESPACE, service=self._service)
        failures.add_dimension(metrics.VERSION_DIMENSION, version)
        failures.add_metric(metrics.FAILED_ANSWERS.name, metrics.FAILED_ANSWERS.unit, 1)
        failures.flush_metrics()

    def _write(self, values: Mapping[Metric, float]) -> None:
        """Write a line with metrics, and pass each on to the recorders."""
        # `add_metric` would check the same names and units again at each prediction.
        line = self._metrics.serialize_metric_set(
            {
                metric.name: {"Unit": metric.unit, "Value": [float(value)]}
                for metric, value in values.items()
            },
            {metrics.SERVICE_DIMENSION: self._service},
        )
        print(write_json(line))  # noqa: T201
        for metric, value in values.items():
            for record in self._recorders:
                record(metric, value)


def _event_text(question: PredictRequest) -> dict[str, Any]:
    title, body = question.title_and_body()
    return {"title": _bounded(title), "body": _bounded(body)}


def _bounded(text: str) -> str:
    """Shorten a text to `MAX_EVENT_TEXT_BYTES`, and replace what cannot be written as UTF-8."""
    text = text.encode(errors="replace").decode()
    # A control character takes the most bytes in JSON: six, such as \\u0000.
    while (size := len(write_json(text).encode())) > MAX_EVENT_TEXT_BYTES:
        text = text[: len(text) * MAX_EVENT_TEXT_BYTES // size]
    return text
