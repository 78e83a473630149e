"""What the API takes and gives, as its OpenAPI document shows it."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from lambda_src.api import examples
from lambda_src.tagger.model import QuietReason
from lambda_src.tagger.rules import MAX_TAGS

MAX_QUESTION_BYTES = 64 * 1024
MAX_TITLE_CHARACTERS = 150
"""The longest title that Stack Exchange takes."""

MAX_BATCH = 100

# As Stack Exchange writes tags; the pattern also keeps them harmless in logs and pages.
Tag = Annotated[str, Field(pattern=r"^[^\s<>|,\"'&]{1,35}$")]
Confidence = Annotated[float, Field(ge=0, le=1)]


class QuestionText(NamedTuple):
    """A question as the model takes it."""

    title: str
    body: str


class PredictRequest(BaseModel):
    """A question: either `text`, or `title` and `body`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [examples.QUESTION, examples.LONG_QUESTION]},
    )

    text: str | None = Field(None, description="The whole question as one text.")
    title: str | None = None
    body: str | None = Field(None, description="HTML or Markdown.")
    body_format: Literal["auto", "html", "markdown"] = "auto"
    max_tags: int = Field(MAX_TAGS, ge=1, le=MAX_TAGS)
    min_confidence: Confidence = Field(
        0.0, description="Suggest nothing less sure than this. The model has a floor of its own."
    )
    exclude: list[Tag] = Field([], max_length=100, description="Tags not to suggest.")
    explain: bool = Field(False, description="Name the terms that spoke for each tag.")
    draft: bool = Field(
        False, description="Asked while the question is being typed: answered, but not counted."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        in_parts = self.title is not None or self.body is not None
        if in_parts == (self.text is not None):
            raise ValueError('send either "text", or "title" and "body"')
        if not (self.text or self.title or self.body or "").strip():
            raise ValueError("the question is empty: write a title or a body")
        return self

    def question(self) -> QuestionText:
        """Tell title and body apart, whichever form was sent."""
        if self.text is None:
            return QuestionText(self.title or "", self.body or "")
        first, _, rest = self.text.strip().partition("\n")
        if len(first) > MAX_TITLE_CHARACTERS or first.startswith("<"):
            return QuestionText("", self.text)
        return QuestionText(first, rest)


class ContributionOut(BaseModel):
    """What one term of the question added to a tag's score."""

    space: Literal["text", "code"] = Field(description="Title and prose share their terms.")
    term: str = Field(description="A word, or two, as the model keeps them: stemmed.")
    weight: float


class ExplanationOut(BaseModel):
    """Why a tag: intercept, terms and other terms sum to the score."""

    score: float = Field(description="The log-odds that the tag's regression gives.")
    intercept: float
    terms: list[ContributionOut] = Field(description="The strongest, strongest first.")
    other_terms: float = Field(description="What all other terms added together.")


class SuggestionOut(BaseModel):
    """A suggested tag."""

    tag: str
    confidence: float = Field(description="How likely the tag is right, from 0 to 1.")
    explanation: ExplanationOut | None = Field(None, description="Only if asked for.")


class PredictResponse(BaseModel):
    """The answer to a question; without tags where the model does not know."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PREDICTION]})

    predicted_tags: list[str] = Field(description="Best first.")
    suggestions: list[SuggestionOut] = Field(description="The same tags with confidences.")
    prediction_id: str = Field(description="Names this prediction in feedback.")
    model_version: str
    quiet_reason: QuietReason | None = Field(
        None, description="Why there are no tags; absent where there are some."
    )


class BatchRequest(BaseModel):
    """Several questions, each as /predict takes it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.QUESTIONS]})

    # Judged one by one, so that a bad question does not spoil the others.
    questions: Annotated[
        list[Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/PredictRequest"})]],
        Field(min_length=1, max_length=MAX_BATCH),
    ]


class BatchItem(BaseModel):
    """The answer to one question of a batch: a prediction or a problem."""

    index: int = Field(description="The question's place in the request, from 0.")
    prediction: PredictResponse | None = None
    problem: "Problem | None" = None


class BatchResponse(BaseModel):
    """The answers, in the order of the questions."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PREDICTIONS]})

    results: list[BatchItem]


class FeedbackRequest(BaseModel):
    """What became of a prediction: at least one of the two lists."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.FEEDBACK]})

    prediction_id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    accepted: list[Tag] | None = Field(
        None, max_length=MAX_TAGS, description="Suggestions that the person took over."
    )
    final_tags: list[Tag] | None = Field(
        None,
        min_length=1,
        max_length=MAX_TAGS,
        description="All tags that the question ended with, also those never suggested.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.accepted is None and self.final_tags is None:
            raise ValueError('send "final_tags", "accepted" or both')
        return self


class FeedbackReceipt(BaseModel):
    """That feedback was written down."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RECEIPT]})

    prediction_id: str
    unknown_tags: list[str] = Field(description="Tags that the model does not know yet.")


class TagCount(BaseModel):
    """A tag that can be suggested."""

    tag: str
    count: int = Field(description="Questions of the corpus that have it.")


class TagList(BaseModel):
    """Tags, commonest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.TAGS]})

    tags: list[TagCount]


class Link(BaseModel):
    """Where something is."""

    href: str
    title: str


class Description(BaseModel):
    """What this service is and where its parts are."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DESCRIPTION]})

    name: Literal["etiquette"] = "etiquette"
    description: str
    model_version: str
    links: list[Link]


class Health(BaseModel):
    """That the service answers, and with which model."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HEALTH]})

    status: Literal["ok"] = "ok"
    model_version: str
    model_sha256: str


class ModelCard(BaseModel):
    """What is known of the model that answers."""

    model_config = ConfigDict(
        protected_namespaces=(), json_schema_extra={"examples": [examples.MODEL_CARD]}
    )

    version: str
    sha256: str
    created: str
    n_tags: int
    n_terms: int
    floor: float = Field(description="Nothing is suggested where the best tag is less sure.")
    corpus: dict[str, object]
    quality: dict[str, object] = Field(
        description="Figures with 95 % intervals by kinds of questions, precision and recall of "
        "rare, middle and common tags, and how they were found."
    )
    training: dict[str, object]
    libraries: dict[str, str]


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[FieldError] | None = None
