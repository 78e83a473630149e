"""The operations that tell of the service itself."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from lambda_src.api import docs_page, page
from lambda_src.api.caching import cacheable
from lambda_src.api.schemas import Description, Health, Link, ModelCard, TagCount, TagList
from lambda_src.tagger import TagModel

_LINKS = [
    Link(href="/predict", title="POST a question, get its tags"),
    Link(href="/predict/batch", title="POST up to 100 questions"),
    Link(href="/feedback", title="POST what a question's tags became"),
    Link(href="/tags", title="The tags that can be suggested"),
    Link(href="/model", title="The model that answers"),
    Link(href="/health", title="Health"),
    Link(href="/docs", title="Documentation"),
    Link(href="/openapi.json", title="OpenAPI document"),
]


def make_router(model: TagModel) -> APIRouter:
    """Bind the operations to a model."""
    router = APIRouter()
    router.include_router(page.make_router())
    manifest = model.manifest
    counts = [TagCount(tag=tag, count=count) for tag, count in manifest["tags"]]
    card = ModelCard(
        version=model.version,
        sha256=model.sha256,
        created=manifest["created"],
        n_tags=len(model.tags),
        n_terms=len(model.vocabulary),
        floor=manifest["floor"],
        corpus=manifest["corpus"],
        quality=manifest["quality"],
        training=manifest["training"],
        libraries=manifest["libraries"],
    )

    @router.get(
        "/",
        summary="What this service is: JSON, or the web page for a browser",
        response_model=Description,
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    async def describe(request: Request, response: Response) -> Description | Response:
        if page.prefers_page(request.headers.get("accept", "")):
            return page.answer(request, "index.html")
        response.headers["vary"] = "accept"
        return Description(
            description="Suggests tags for a question as it is being written.",
            model_version=model.version,
            links=_LINKS,
        )

    @router.get("/health", summary="Whether the service answers, and with which model")
    async def health() -> Health:
        return Health(model_version=model.version, model_sha256=model.sha256)

    @router.get("/model", summary="The model's card", response_model=ModelCard)
    async def describe_model(request: Request) -> Response:
        return cacheable(request, card.model_dump_json())

    @router.get(
        "/tags", summary="Tags that can be suggested, commonest first", response_model=TagList
    )
    async def tags(
        request: Request,
        prefix: Annotated[str, Query(max_length=64, description="How the tag begins.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    ) -> Response:
        wanted = prefix.strip().lower()
        found = [each for each in counts if each.tag.startswith(wanted)][:limit]
        return cacheable(request, TagList(tags=found).model_dump_json())

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(
            docs_page.render(request.app.openapi()),
            headers={"content-security-policy": docs_page.POLICY},
        )

    return router
