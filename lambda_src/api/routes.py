"""The API's operations."""

import time
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from lambda_src.api import docs_page
from lambda_src.api.correlation import correlation_id
from lambda_src.api.problems import ProblemError
from lambda_src.api.schemas import (
    MAX_QUESTION_BYTES,
    Description,
    Health,
    Link,
    ModelCard,
    PredictRequest,
    PredictResponse,
    SuggestionOut,
)
from lambda_src.api.telemetry import Telemetry
from lambda_src.tagger import TagModel

_LINKS = [
    Link(href="/predict", title="POST a question, get its tags"),
    Link(href="/model", title="The model that answers"),
    Link(href="/health", title="Health"),
    Link(href="/docs", title="Documentation"),
    Link(href="/openapi.json", title="OpenAPI document"),
]


def make_router(model: TagModel, telemetry: Telemetry) -> APIRouter:
    """Bind the operations to a model."""
    router = APIRouter()
    manifest = model.manifest
    card = ModelCard(
        version=model.version,
        sha256=model.sha256,
        created=manifest["created"],
        n_tags=len(model.tags),
        n_terms=len(model.vocabulary),
        threshold=manifest["threshold"],
        corpus=manifest["corpus"],
        training=manifest["training"],
        libraries=manifest["libraries"],
    )

    @router.post("/predict", summary="Suggest tags for a question")
    async def predict(request: Request, wanted: PredictRequest) -> PredictResponse:
        title, body = wanted.question()
        if len(title.encode(errors="replace")) + len(body.encode(errors="replace")) > (
            MAX_QUESTION_BYTES
        ):
            raise ProblemError(413, f"A question has at most {MAX_QUESTION_BYTES} bytes of UTF-8.")
        start = time.perf_counter()
        prediction = model.suggest(
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
            telemetry.prediction(
                prediction,
                prediction_id=prediction_id,
                correlation_id=correlation_id(request.scope),
                model_version=model.version,
                latency_ms=latency_ms,
            )
        return PredictResponse(
            predicted_tags=[each.tag for each in prediction.suggestions],
            suggestions=[
                SuggestionOut(tag=each.tag, confidence=round(each.confidence, 4))
                for each in prediction.suggestions
            ],
            prediction_id=prediction_id,
            model_version=model.version,
        )

    @router.get("/", summary="What this service is")
    async def describe() -> Description:
        return Description(
            description="Suggests tags for a question as it is being written.",
            model_version=model.version,
            links=_LINKS,
        )

    @router.get("/health", summary="Whether the service answers, and with which model")
    async def health() -> Health:
        return Health(model_version=model.version, model_sha256=model.sha256)

    @router.get("/model", summary="The model's card")
    async def describe_model() -> ModelCard:
        return card

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(
            docs_page.render(request.app.openapi()),
            headers={"content-security-policy": docs_page.POLICY},
        )

    return router
