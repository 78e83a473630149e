"""The requests and answers of the prediction operations, each with an example.

The examples are part of the OpenAPI document, so each one stands beside the fields that it shows.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from lambda_src.api.problem_schemas import EXAMPLE_PROBLEM, Problem
from lambda_src.api.schema_types import EXAMPLE_ID, Confidence, Example, Tag, WholeNumber
from lambda_src.tagger import Explanation, Prediction
from lambda_src.tagger.markup import QuestionText, split_text
from lambda_src.tagger.model import QuietReason
from lambda_src.tagger.rules import MAX_TAGS

MAX_QUESTION_BYTES = 64 * 1024
MAX_BATCH = 100
MAX_EXPLAINED_TERMS = 10

QUIET_MESSAGES: Final[Mapping[QuietReason, str]] = {
    "too_few_known_words": "The model knows too few of these words. "
    "Name a language, a library or a tool.",
    "no_topic": "The question does not name its topic yet. Name a language, a library or a tool.",
    "not_sure": "The model is not sure enough to suggest a tag yet. "
    "Add an error message or some code.",
}
"""Why there are no tags and what would help, for people. The web page has the same texts."""
_MESSAGE_OF_LIMITED: Final = (
    "The model is not sure enough of any tag that 'exclude' and 'min_confidence' leave. "
    "Relax them, or add an error message or some code."
)

_QUESTION: Final[Example] = {"text": "How do I merge two dictionaries in Python?"}
_LONG_QUESTION: Final[Example] = {
    "title": "Left join returns too many rows",
    "body": "<p>My query</p><pre><code>SELECT * FROM a LEFT JOIN b</code></pre>",
    "max_tags": 3,
}


_NOT_BLANK: Final[Example] = {"type": "string", "pattern": r"[^\s\u001c-\u001f\u0085]"}
_ABSENT: Final[Example] = {"type": "null"}
_EITHER_TEXT_OR_PARTS: Final[Example] = {
    "anyOf": [
        {
            "required": ["text"],
            "properties": {"text": _NOT_BLANK, "title": _ABSENT, "body": _ABSENT},
        },
        {"required": ["title"], "properties": {"text": _ABSENT, "title": _NOT_BLANK}},
        {"required": ["body"], "properties": {"text": _ABSENT, "body": _NOT_BLANK}},
    ]
}
"""What `PredictRequest._check_question` checks, in the words of JSON Schema. Python's blanks are
those of JSON Schema and five control characters."""


class PredictRequest(BaseModel):
    """A question: either `text`, or `title` and `body`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={**_EITHER_TEXT_OR_PARTS, "examples": [_QUESTION, _LONG_QUESTION]},
    )

    text: str | None = Field(
        None,
        description="The whole question. If its first line is short enough, it is the title.",
    )
    title: str | None = None
    body: str | None = Field(None, description="The question's body, as HTML or Markdown.")
    body_format: Literal["auto", "html", "markdown"] = Field(
        "auto", description="The format of the body. With `auto`, the service detects it."
    )
    max_tags: WholeNumber = Field(
        MAX_TAGS, ge=1, le=MAX_TAGS, description="The largest number of tags to suggest."
    )
    min_confidence: Confidence = Field(
        0.0,
        description="Omit tags with a lower confidence. The model's own floor applies as well.",
    )
    exclude: list[Tag] = Field(
        [],
        max_length=100,
        description="Tags that must not be suggested. Case does not matter, and a synonym counts "
        "as the tag that it means.",
    )
    explain: bool = Field(
        False, description="If true, each suggestion lists the terms that led to it."
    )
    draft: bool = Field(
        False,
        description="If true, the question is still being typed. "
        "The answer is the same, but the prediction is neither logged nor counted.",
    )

    @model_validator(mode="after")
    def _check_question(self) -> Self:
        in_parts = self.title is not None or self.body is not None
        if in_parts == (self.text is not None):
            raise ValueError("Send either 'text', or 'title' and 'body'.")
        if not any(each and each.strip() for each in (self.text, self.title, self.body)):
            raise ValueError("The question is empty. Send a title, a body or a text.")
        return self

    def title_and_body(self) -> QuestionText:
        """Return title and body. If the request has `text`, split it into the two."""
        if self.text is None:
            return QuestionText(self.title or "", self.body or "")
        return split_text(self.text)


class ContributionOut(BaseModel):
    """How much one term of the question added to a tag's score."""

    space: Literal["text", "code"] = Field(
        description="Where the term was found: `text` is the title and the prose."
    )
    term: str = Field(
        description="One or two words, each reduced to its stem. `~` begins a part of a name in "
        "camelCase, such as `~view` of `UITableView`."
    )
    weight: float = Field(description="Added to the score; negative if it speaks against the tag.")


class ExplanationOut(BaseModel):
    """How a tag got its score: the sum of `intercept`, all `terms` and `other_terms`."""

    score: float = Field(description="The log-odds that the tag's logistic regression returns.")
    intercept: float = Field(description="The score of a question without any known term.")
    terms: list[ContributionOut] = Field(
        description="The terms with the largest weights, largest first, whatever their sign."
    )
    other_terms: float = Field(description="The sum of the weights of all other terms.")

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """List the terms with the largest weights and add up the others."""
        terms = sorted(explanation.terms, key=lambda term: -abs(term.weight))
        return cls(
            score=explanation.score,
            intercept=explanation.intercept,
            terms=[ContributionOut(**term._asdict()) for term in terms[:MAX_EXPLAINED_TERMS]],
            other_terms=sum(term.weight for term in terms[MAX_EXPLAINED_TERMS:]),
        )


class SuggestionOut(BaseModel):
    """A suggested tag."""

    tag: str
    confidence: float = Field(description="The probability that the tag is right, from 0 to 1.")
    explanation: ExplanationOut | None = Field(
        None, description="Present only if the request set `explain`."
    )


_PREDICTION: Final[Example] = {
    "predicted_tags": ["python", "dictionary"],
    "suggestions": [
        {"tag": "python", "confidence": 0.95},
        {"tag": "dictionary", "confidence": 0.93},
    ],
    "prediction_id": EXAMPLE_ID,
    "model_version": "2026.11.22-35984239",
}


class PredictResponse(BaseModel):
    """The answer to a question. It has no tags if the model is not sure of any."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREDICTION]})

    predicted_tags: list[str] = Field(description="The suggested tags, best first.")
    suggestions: list[SuggestionOut] = Field(description="The same tags with their confidences.")
    prediction_id: str = Field(description="Identifies this prediction in `POST /feedback`.")
    model_version: str = Field(description="The version of the model that answered.")
    quiet_reason: QuietReason | None = Field(
        None, description="Why no tag is suggested. Absent if there are tags."
    )
    quiet_message: str | None = Field(
        None,
        description="The same reason as a sentence for people, and what would help. "
        "Programs should use `quiet_reason`: this text may change.",
    )

    @classmethod
    def of(
        cls,
        prediction: Prediction,
        explanations: Mapping[str, Explanation],
        question: PredictRequest,
        *,
        prediction_id: str,
        model_version: str,
    ) -> Self:
        """Build the answer from the model's prediction.

        Parameters
        ----------
        prediction : Prediction
            The model's prediction.
        explanations : mapping of str to Explanation
            By tag; empty if the caller did not ask for explanations.
        question : PredictRequest
            The request, for the options that leave out tags.
        prediction_id, model_version : str
            The identifier of the prediction, and the version of the model.
        """
        suggestions = [
            SuggestionOut(
                tag=each.tag,
                confidence=round(each.confidence, 4),
                explanation=ExplanationOut.of(explanations[each.tag]) if explanations else None,
            )
            for each in prediction.suggestions
        ]
        return cls(
            predicted_tags=[each.tag for each in suggestions],
            suggestions=suggestions,
            prediction_id=prediction_id,
            model_version=model_version,
            quiet_reason=prediction.quiet_reason,
            quiet_message=_quiet_message(prediction.quiet_reason, question),
        )


def _quiet_message(reason: QuietReason | None, question: PredictRequest) -> str | None:
    if reason is None:
        return None
    is_limited = bool(question.exclude) or question.min_confidence > 0
    return _MESSAGE_OF_LIMITED if reason == "not_sure" and is_limited else QUIET_MESSAGES[reason]


class BatchRequest(BaseModel):
    """Several questions, each in the form that `POST /predict` accepts."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"questions": [_QUESTION, {**_QUESTION, "max_tags": 9}]}]},
    )

    # Each question is validated on its own later, so that one wrong question does not make the
    # whole batch fail.
    questions: Annotated[
        list[
            Annotated[
                Any,
                WithJsonSchema({"anyOf": [{"$ref": "#/components/schemas/PredictRequest"}, {}]}),
            ]
        ],
        Field(
            min_length=1,
            max_length=MAX_BATCH,
            description="A question that is not valid gets a problem in its place, and the others "
            "are answered.",
        ),
    ]


class BatchItem(BaseModel):
    """The answer to one question of a batch: either a prediction or a problem."""

    index: int = Field(description="The question's position in the request, from 0.")
    prediction: PredictResponse | None = None
    problem: Problem | None = None


class BatchResponse(BaseModel):
    """The answers, in the order of the questions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {"index": 0, "prediction": _PREDICTION},
                        {"index": 1, "problem": EXAMPLE_PROBLEM},
                    ]
                }
            ]
        }
    )

    results: list[BatchItem]
