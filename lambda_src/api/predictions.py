"""The operations that take questions and feedback."""

import time
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import ValidationError

from lambda_src.api.correlation import correlation_id
from lambda_src.api.problems import ProblemError, field_errors, problem
from lambda_src.api.schemas import (
    MAX_QUESTION_BYTES,
    BatchItem,
    BatchRequest,
    BatchResponse,
    ContributionOut,
    ExplanationOut,
    FeedbackReceipt,
    FeedbackRequest,
    PredictRequest,
    PredictResponse,
    SuggestionOut,
)
from lambda_src.api.telemetry import Telemetry
from lambda_src.tagger import Explanation, TagModel

EXPLAINED_TERMS = 10


class Predictor:
    """Answers questions with a model and tells the telemetry.

    Parameters
    ----------
    model : TagModel
    telemetry : Telemetry
    """

    def __init__(self, model: TagModel, telemetry: Telemetry) -> None:
        self._model = model
        self._telemetry = telemetry
        self._known_tags = frozenset(model.tags)

    def predict(self, wanted: PredictRequest, correlation: str) -> PredictResponse:
        """Answer one question; raises `ProblemError` where it is too large."""
        title, body = wanted.question()
        size = len(title.encode(errors="replace")) + len(body.encode(errors="replace"))
        if size > MAX_QUESTION_BYTES:
            raise ProblemError(413, f"A question has at most {MAX_QUESTION_BYTES} bytes of UTF-8.")
        start = time.perf_counter()
        prediction = self._model.suggest(
            title,
            body,
            body_format=wanted.body_format,
            max_tags=wanted.max_tags,
            min_confidence=wanted.min_confidence,
            exclude=wanted.exclude,
        )
        latency_ms = (time.perf_counter() - start) * 1000
        prediction_id = str(uuid4())
        if not wanted.draft:
            self._telemetry.prediction(
                prediction,
                prediction_id=prediction_id,
                correlation_id=correlation,
                model_version=self._model.version,
                latency_ms=latency_ms,
            )
        tags = [each.tag for each in prediction.suggestions]
        explanations: dict[str, ExplanationOut] = {}
        if wanted.explain:
            found = self._model.explain(tags, title, body, body_format=wanted.body_format)
            explanations = {tag: _explanation(each) for tag, each in found.items()}
        return PredictResponse(
            predicted_tags=tags,
            suggestions=[
                SuggestionOut(
                    tag=each.tag,
                    confidence=round(each.confidence, 4),
                    explanation=explanations.get(each.tag),
                )
                for each in prediction.suggestions
            ],
            prediction_id=prediction_id,
            model_version=self._model.version,
            quiet_reason=prediction.quiet_reason,
        )

    def predict_batch_item(self, index: int, question: Any, request: Request) -> BatchItem:
        """Answer one question of a batch, or say what is wrong with it."""
        try:
            wanted = PredictRequest.model_validate(question)
            answer = self.predict(wanted, correlation_id(request.scope))
        except ValidationError as error:
            errors = field_errors(error.errors(), skip=0)
            return BatchItem(index=index, problem=problem(request.scope, 422, errors=errors))
        except ProblemError as error:
            return BatchItem(
                index=index, problem=problem(request.scope, error.status_code, error.detail)
            )
        return BatchItem(index=index, prediction=answer)

    def take_feedback(self, feedback: FeedbackRequest, correlation: str) -> FeedbackReceipt:
        """Write feedback down; the newest of a prediction counts, so repeating it is harmless."""
        named = [*(feedback.final_tags or ()), *(feedback.accepted or ())]
        unknown = sorted(set(named) - self._known_tags)
        self._telemetry.feedback(feedback, unknown_tags=unknown, correlation_id=correlation)
        return FeedbackReceipt(prediction_id=feedback.prediction_id, unknown_tags=unknown)


def make_router(model: TagModel, telemetry: Telemetry) -> APIRouter:
    """Bind the operations to a model."""
    router = APIRouter()
    predictor = Predictor(model, telemetry)

    @router.post(
        "/predict",
        summary="Suggest tags for a question",
        response_model_exclude_defaults=True,
    )
    async def predict(request: Request, wanted: PredictRequest) -> PredictResponse:
        return predictor.predict(wanted, correlation_id(request.scope))

    @router.post(
        "/predict/batch",
        summary="Suggest tags for up to 100 questions",
        response_model_exclude_defaults=True,
    )
    async def predict_batch(request: Request, wanted: BatchRequest) -> BatchResponse:
        return BatchResponse(
            results=[
                predictor.predict_batch_item(index, question, request)
                for index, question in enumerate(wanted.questions)
            ]
        )

    @router.post("/feedback", status_code=202, summary="Say what a question's tags became")
    async def feedback(request: Request, given: FeedbackRequest) -> FeedbackReceipt:
        return predictor.take_feedback(given, correlation_id(request.scope))

    return router


def _explanation(explanation: Explanation) -> ExplanationOut:
    strongest = sorted(explanation.terms, key=lambda each: -abs(each.weight))
    return ExplanationOut(
        score=explanation.score,
        intercept=explanation.intercept,
        terms=[ContributionOut(**each._asdict()) for each in strongest[:EXPLAINED_TERMS]],
        other_terms=sum(each.weight for each in strongest[EXPLAINED_TERMS:]),
    )
