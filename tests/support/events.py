"""Event lines as the service writes them: real predictions, with the times that a test gives."""

import io
import json
import logging
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4, uuid5

from aws_lambda_powertools import Logger

from lambda_src.api.feedback_schemas import FeedbackRequest
from lambda_src.api.log_text import write_json
from lambda_src.api.predictions import PredictionService
from lambda_src.api.schemas import PredictRequest
from lambda_src.api.telemetry import Telemetry
from lambda_src.tagger import TagModel

_IDENTIFIERS = UUID("6f0c1a52-3a0b-4a7e-9d0c-5f6b5d1f0a11")


class EventLog:
    """A log that the service's own `Telemetry` fills, at the times that a test gives.

    Parameters
    ----------
    model : TagModel
        Answers the questions.
    model_version : str, optional
        The version in the events; by default that of the model.
    event_text : bool
        Whether the events contain the questions' texts.
    service : str
        The name of the deployment. Predictions of another service have other identifiers.

    Examples
    --------
    >>> log = EventLog(TagModel.load("model.safetensors"), model_version="2026.11.01-aaaaaaaa")
    >>> asked = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)
    >>> prediction = log.predict(asked, "How do I merge two dictionaries in Python?")
    >>> log.feedback(asked + timedelta(minutes=3), prediction, final_tags=["python"])
    >>> log.write(Path("store"))
    """

    def __init__(
        self,
        model: TagModel,
        *,
        model_version: str | None = None,
        event_text: bool = False,
        service: str = "etiquette",
    ) -> None:
        self._model = model
        self._version = model.version if model_version is None else model_version
        self._service = service
        self._output = io.StringIO()
        self._clock = _Clock()
        handler = logging.StreamHandler(self._output)
        handler.addFilter(self._clock)
        # Powertools keeps one logger per service, which writes where its first user wanted it to.
        logger = Logger(
            service=f"{service} {uuid4()}",
            logger_handler=handler,
            use_rfc3339=True,
            utc=True,
            json_serializer=write_json,
        )
        logger.append_keys(service=service)
        self._telemetry = Telemetry(service, logger, event_text=event_text)
        self._answers = PredictionService(model, self._telemetry)
        self._n_predictions = 0

    def predict(
        self,
        time: datetime,
        title: str,
        body: str = "",
        *,
        source: Literal["single", "batch"] = "single",
        latency_ms: float = 0.5,
        principal: str | None = None,
        **options: Any,
    ) -> str:
        """Answer a question and record the prediction; return the prediction's id.

        Parameters
        ----------
        time : datetime
            With a time zone.
        title, body : str
        source : {"single", "batch"}
        latency_ms : float
            What the event says: the real latency differs from run to run.
        principal : str, optional
            The pseudonym of the caller.
        **options
            Other fields of `PredictRequest`, such as `max_tags`.
        """
        question = PredictRequest(title=title, body=body, **options)
        prediction = self._model.suggest(
            title,
            body,
            body_format=question.body_format,
            max_tags=question.max_tags,
            min_confidence=question.min_confidence,
            exclude=question.exclude,
        )
        self._n_predictions += 1
        prediction_id = str(uuid5(_IDENTIFIERS, f"{self._service} {self._n_predictions}"))
        self._clock.time = time
        with redirect_stdout(self._output):
            self._telemetry.record_prediction(
                prediction,
                question,
                prediction_id=prediction_id,
                correlation_id=f"request-{self._n_predictions}",
                model_version=self._version,
                source=source,
                latency_ms=latency_ms,
                principal=principal,
            )
        return prediction_id

    def feedback(
        self,
        time: datetime,
        prediction_id: str,
        *,
        final_tags: Sequence[str] | None = None,
        accepted: Sequence[str] | None = None,
        authenticated: bool = False,
        principal: str | None = None,
    ) -> None:
        """Record feedback for a prediction, whether the prediction is in this log or not."""
        self._clock.time = time
        # The request is strict, so it takes lists only.
        request = FeedbackRequest.model_validate(
            {
                "prediction_id": prediction_id,
                "final_tags": final_tags and [*final_tags],
                "accepted": accepted and [*accepted],
            }
        )
        with redirect_stdout(self._output):
            self._answers.record_feedback(
                request, "request", authenticated=authenticated, principal=principal
            )

    def lines(self) -> list[str]:
        """Return all lines in the order of their recording: of metrics (EMF) and of events."""
        return self._output.getvalue().rstrip("\n").split("\n")

    def events(self) -> list[str]:
        """Return the event lines only."""
        return [line for line in self.lines() if "event_type" in json.loads(line)]

    def write(self, store: Path) -> None:
        """Write the events into a folder with the layout of the event store."""
        for line in self.events():
            day = json.loads(line)["timestamp"][:10]
            path = store / "events" / f"date={day}" / f"{self._service}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"{line}\n")


class _Clock(logging.Filter):
    """Gives log records the time of the test."""

    time: datetime

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's time."""
        record.created = self.time.timestamp()
        return True
