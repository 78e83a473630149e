"""The operations that describe the service: its start page, model, tags, health and documentation.

The schemas of their answers are here as well.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from lambda_src.api import docs_page, page
from lambda_src.api.caching import TaggedContent, conditional_response
from lambda_src.tagger import TagModel
from lambda_src.tagger.model import tag_key

SERVICE_DESCRIPTION: Final = "Suggests tags for a question while it is being written."
_CACHE_HEADERS: Final = {"cache-control": "public, max-age=300"}
_MODEL_VERSION: Final = "2026.11.22-35984239"
_MODEL_SHA256: Final = "6b0b41e9284a74f48137ec8541fdd6e0aceb064368fbd2864a86ca7238698171"


class TagCount(BaseModel):
    """A tag that the model can suggest."""

    tag: str
    count: int = Field(description="How many questions of the training corpus have the tag.")
    synonym: str | None = Field(
        default=None,
        description="The synonym of the tag that begins with the prefix. "
        "Absent if the tag itself begins with it.",
    )


class TagList(BaseModel):
    """Tags, the most frequent first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"tags": [{"tag": "python", "count": 4234}, {"tag": "python-3.x", "count": 310}]},
                {"tags": [{"tag": "go", "count": 310, "synonym": "golang"}]},
            ]
        }
    )

    tags: list[TagCount]


class Link(BaseModel):
    """A path of the service and what it is for."""

    href: str
    title: str


class Description(BaseModel):
    """What the service does, and its paths."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "etiquette",
                    "description": SERVICE_DESCRIPTION,
                    "model_version": _MODEL_VERSION,
                    "links": [{"href": "/predict", "title": "POST a question to get tags"}],
                }
            ]
        }
    )

    name: Literal["etiquette"] = "etiquette"
    description: str
    model_version: str
    links: list[Link]


class Health(BaseModel):
    """Confirms that the service answers, and names its model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "ok", "model_version": _MODEL_VERSION, "model_sha256": _MODEL_SHA256}
            ]
        }
    )

    status: Literal["ok"] = "ok"
    model_version: str
    model_sha256: str


class ModelCard(BaseModel):
    """Facts about the model that answers."""

    model_config = ConfigDict(
        protected_namespaces=(),
        json_schema_extra={
            "examples": [
                {
                    "version": _MODEL_VERSION,
                    "sha256": _MODEL_SHA256,
                    "created": "2026-11-22",
                    "n_tags": 1115,
                    "n_terms": 25316,
                    "floor": 0.1164,
                    "corpus": {"questions": 59843},
                    "quality": {
                        "how": "out of fold",
                        "questions": [
                            {"kind": "titles alone", "precision_at_1": [0.675, 0.67, 0.68]}
                        ],
                        "tags": [
                            {"kind": "rare", "least_uses": 0, "precision": 0.43, "recall": 0.28}
                        ],
                    },
                    "training": {"min_tag_count": 12},
                    "libraries": {"scikit-learn": "1.9.1"},
                }
            ]
        },
    )

    version: str
    sha256: str = Field(description="The SHA-256 of the bundle.")
    created: str = Field(description="The date of the training.")
    n_tags: int = Field(description="How many tags the model can suggest.")
    n_terms: int = Field(description="How many terms the model knows.")
    floor: float = Field(
        description="If the expected Jaccard index of the best set of tags is lower, the model "
        "suggests nothing."
    )
    corpus: dict[str, object] = Field(description="Facts about the training corpus.")
    quality: dict[str, object] = Field(
        description="How the quality was measured; quality figures with 95 % intervals for each "
        "kind of question; and precision and recall of rare, middle and common tags."
    )
    training: dict[str, object] = Field(description="The options of the training.")
    libraries: dict[str, str] = Field(description="The library versions of the training.")


_LINKS: Final = [
    Link(href="/predict", title="POST a question to get tags"),
    Link(href="/predict/batch", title="POST up to 100 questions to get their tags"),
    Link(href="/feedback", title="POST the tags that a question got"),
    Link(href="/tags", title="The tags that the model can suggest"),
    Link(href="/model", title="Facts about the model"),
    Link(href="/model/health", title="How the model does, by the monitor's newest report"),
    Link(href="/health", title="Whether the service answers"),
    Link(href="/docs", title="Documentation of the API"),
    Link(href="/openapi.json", title="The same as an OpenAPI document"),
]


class TagCompletion:
    """Finds tags by the beginning of their names or synonyms.

    Parameters
    ----------
    tags : sequence of (str, int)
        The tags with their counts, the most frequent first.
    synonyms : mapping of str to str
        The tag that each synonym means.
    """

    def __init__(self, tags: Sequence[tuple[str, int]], synonyms: Mapping[str, str]) -> None:
        self._counts = [TagCount(tag=tag, count=count) for tag, count in tags]
        ranks = {tag: rank for rank, (tag, _) in enumerate(tags)}
        ranks |= {synonym: ranks[tag] for synonym, tag in synonyms.items()}
        self._names = sorted(ranks)
        self._ranks = [ranks[name] for name in self._names]

    def matching(self, prefix: str, limit: int) -> list[TagCount]:
        """Return the tags that begin with the prefix or have a synonym that does.

        Parameters
        ----------
        prefix : str
            In lower case.
        limit : int
            The largest number of tags.

        Returns
        -------
        list of TagCount
            The most frequent first.
        """
        found: dict[int, TagCount] = {}
        for place in range(bisect_left(self._names, prefix), len(self._names)):
            name, rank = self._names[place], self._ranks[place]
            if not name.startswith(prefix):
                break
            listed = self._counts[rank]
            if name == listed.tag:
                found[rank] = listed
            elif rank not in found:
                found[rank] = listed.model_copy(update={"synonym": name})
        return [found[rank] for rank in sorted(found)[:limit]]


def make_router(model: TagModel) -> APIRouter:
    """Build the routes that describe the service and a model."""
    router = APIRouter()
    router.include_router(page.make_router())
    manifest = model.manifest
    completion = TagCompletion(manifest["tags"], manifest["synonyms"])
    card = TaggedContent.from_text(
        ModelCard(
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
        ).model_dump_json()
    )

    @router.get(
        "/",
        summary="Describe the service: JSON, or the web page for a browser",
        response_model=Description,
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    async def describe(request: Request, response: Response) -> Description | Response:
        if page.prefers_html(request.headers.get("accept", "")):
            return page.respond(request, "index.html")
        response.headers["vary"] = "accept"
        return Description(
            description=SERVICE_DESCRIPTION, model_version=model.version, links=_LINKS
        )

    @router.get("/health", summary="Confirm that the service answers, and name its model")
    async def health() -> Health:
        return Health(model_version=model.version, model_sha256=model.sha256)

    @router.get("/model", summary="Describe the model that answers", response_model=ModelCard)
    async def describe_model(request: Request) -> Response:
        return conditional_response(request, card, _CACHE_HEADERS)

    @router.get(
        "/tags",
        summary="List the tags that the model can suggest, the most frequent first",
        response_model=TagList,
    )
    async def tags(
        request: Request,
        prefix: Annotated[
            str,
            Query(
                max_length=64,
                description="List only tags that begin with this, or have a synonym that does. "
                "Case does not matter.",
            ),
        ] = "",
        limit: Annotated[
            int, Query(ge=1, le=1000, description="The largest number of tags to list.")
        ] = 20,
    ) -> Response:
        listed = TagList(tags=completion.matching(tag_key(prefix), limit))
        content = TaggedContent.from_text(listed.model_dump_json(exclude_none=True))
        return conditional_response(request, content, _CACHE_HEADERS)

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(
            docs_page.render(request.app.openapi()),
            headers={"content-security-policy": docs_page.CONTENT_SECURITY_POLICY},
        )

    return router
