"""The operations that receive questions and feedback."""

import time
from typing import Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import ValidationError

from lambda_src.api.correlation import correlation_id
from lambda_src.api.events import is_authenticated
from lambda_src.api.feedback_schemas import FeedbackReceipt, FeedbackRequest
from lambda_src.api.json_body import JsonRoute
from lambda_src.api.principals import pseudonym
from lambda_src.api.problems import ProblemError, field_errors, problem
from lambda_src.api.schemas import (
    MAX_QUESTION_BYTES,
    BatchItem,
    BatchRequest,
    BatchResponse,
    PredictRequest,
    PredictResponse,
)
from lambda_src.api.telemetry import Telemetry
from lambda_src.tagger import TagModel
from lambda_src.tagger.model import tag_key


class PredictionService:
    """Answers questions with a model, and records predictions and feedback.

    Parameters
    ----------
    model : TagModel
        Answers the questions.
    telemetry : Telemetry
        Records predictions and feedback.
    """

    def __init__(self, model: TagModel, telemetry: Telemetry) -> None:
        self._model = model
        self._telemetry = telemetry

    def predict(
        self,
        question: PredictRequest,
        correlation: str,
        source: Literal["single", "batch"],
        *,
        principal: str | None = None,
    ) -> PredictResponse:
        """Answer one question.

        Parameters
        ----------
        question : PredictRequest
            The validated question with its options.
        correlation : str
            The correlation id of the HTTP request.
        source : {"single", "batch"}
            The operation that the caller used.
        principal : str, optional
            The pseudonym of the caller.

        Raises
        ------
        ProblemError
            The question is too large (413).
        """
        title, body = question.title_and_body()
        size = len(title.encode(errors="replace")) + len(body.encode(errors="replace"))
        if size > MAX_QUESTION_BYTES:
            raise ProblemError(
                413,
                f"The question has {size} bytes of UTF-8. The limit is {MAX_QUESTION_BYTES} bytes. "
                "Shorten the body.",
            )
        start = time.perf_counter()
        prediction = self._model.suggest(
            title,
            body,
            body_format=question.body_format,
            max_tags=question.max_tags,
            min_confidence=question.min_confidence,
            exclude=question.exclude,
        )
        latency_ms = (time.perf_counter() - start) * 1000
        prediction_id = str(uuid4())
        if not question.draft:
            self._telemetry.record_prediction(
                prediction,
                question,
                prediction_id=prediction_id,
                correlation_id=correlation,
                model_version=self._model.version,
                source=source,
                latency_ms=latency_ms,
                principal=principal,
            )
        explanations = {}
        if question.explain:
            tags = [suggestion.tag for suggestion in prediction.suggestions]
            explanations = self._model.explain(tags, title, body, body_format=question.body_format)
        return PredictResponse.of(
            prediction,
            explanations,
            question,
            prediction_id=prediction_id,
            model_version=self._model.version,
        )

    def predict_batch_item(
        self, index: int, question: Any, request: Request, *, principal: str | None = None
    ) -> BatchItem:
        """Answer one question of a batch with a prediction or a problem.

        Parameters
        ----------
        index : int
            The question's position in the batch.
        question : object
            The question as it was sent, not yet validated.
        request : Request
            The HTTP request of the whole batch.
        principal : str, optional
            The pseudonym of the caller.
        """
        try:
            validated = PredictRequest.model_validate(question)
            prediction = self.predict(
                validated, correlation_id(request.scope), "batch", principal=principal
            )
        except ValidationError as error:
            errors = field_errors(error.errors(), skip=0)
            return BatchItem(index=index, problem=problem(request.scope, 422, errors=errors))
        except ProblemError as error:
            return BatchItem(
                index=index, problem=problem(request.scope, error.status_code, error.detail)
            )
        return BatchItem(index=index, prediction=prediction)

    def record_feedback(
        self,
        feedback: FeedbackRequest,
        correlation: str,
        *,
        authenticated: bool,
        principal: str | None = None,
    ) -> FeedbackReceipt:
        """Record feedback.

        The newest feedback for a prediction counts, so a caller may safely repeat the request.
        Synonyms of the model's tags are recorded as the tags that they mean.

        Parameters
        ----------
        feedback : FeedbackRequest
            The validated feedback.
        correlation : str
            The correlation id of the HTTP request.
        authenticated : bool
            Whether API Gateway identified the caller.
        principal : str, optional
            The pseudonym of the caller.
        """
        recorded = feedback.model_copy(
            update={
                "accepted": self._main_tags(feedback.accepted),
                "final_tags": self._main_tags(feedback.final_tags),
            }
        )
        tags = {*(recorded.final_tags or ()), *(recorded.accepted or ())}
        unknown_tags = sorted(tag for tag in tags if self._model.main_tag(tag) is None)
        self._telemetry.record_feedback(
            recorded,
            unknown_tags=unknown_tags,
            correlation_id=correlation,
            authenticated=authenticated,
            principal=principal,
        )
        return FeedbackReceipt(prediction_id=feedback.prediction_id, unknown_tags=unknown_tags)

    def _main_tags(self, names: list[str] | None) -> list[str] | None:
        """Replace names by the tags that they mean, each once; new tags stay, in lower case."""
        if names is None:
            return None
        return list(dict.fromkeys(self._model.main_tag(name) or tag_key(name) for name in names))


def make_router(
    model: TagModel, telemetry: Telemetry, *, principal_key: str | None = None
) -> APIRouter:
    """Build the routes that use a model.

    Parameters
    ----------
    model, telemetry
        See `PredictionService`.
    principal_key : str, optional
        The key of the callers' pseudonyms; without it, events have none.
    """
    router = APIRouter(route_class=JsonRoute)
    service = PredictionService(model, telemetry)

    @router.post(
        "/predict",
        summary="Suggest tags for a question",
        response_model_exclude_defaults=True,
    )
    async def predict(request: Request, question: PredictRequest) -> PredictResponse:
        return service.predict(
            question,
            correlation_id(request.scope),
            "single",
            principal=pseudonym(request.scope, principal_key),
        )

    @router.post(
        "/predict/batch",
        summary="Suggest tags for up to 100 questions",
        response_model_exclude_defaults=True,
    )
    async def predict_batch(request: Request, batch: BatchRequest) -> BatchResponse:
        principal = pseudonym(request.scope, principal_key)
        return BatchResponse(
            results=[
                service.predict_batch_item(index, question, request, principal=principal)
                for index, question in enumerate(batch.questions)
            ]
        )

    @router.post("/feedback", status_code=202, summary="Report the tags that a question got")
    async def feedback(request: Request, feedback: FeedbackRequest) -> FeedbackReceipt:
        return service.record_feedback(
            feedback,
            correlation_id(request.scope),
            authenticated=is_authenticated(request.scope.get("aws.event")),
            principal=pseudonym(request.scope, principal_key),
        )

    return router
