"""Scores an archive in S3, part by part: a second entry of the image that serves.

The state machine of infra_cdk/archive_scoring.py invokes `handler` once per part, and then once for
the report. A part is a file of JSON lines below ``questions/``. Each line is the body of a
``POST /predict`` and may have an ``id``. Predictions of an archive are no events: nobody asked.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from botocore import exceptions, session
from pydantic import ValidationError

from lambda_src.api.model_store import load_model
from lambda_src.api.schemas import MAX_QUESTION_BYTES, PredictRequest
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel

QUESTIONS: Final = "questions/"
RESULTS: Final = "results/"
REJECTS: Final = "rejects/"
REPORT: Final = "report.json"
_ENCODING: Final = "utf-8"


class ArchiveEventError(ValueError):
    """The function was invoked with an event that names neither a part nor the report."""


class Archive:
    """The archive in a bucket, and the model that scores it.

    Parameters
    ----------
    model : TagModel
        Suggests the tags.
    s3 : S3 client
        Of botocore or boto3.
    bucket : str
        The name of the bucket.
    """

    def __init__(self, model: TagModel, s3: Any, bucket: str) -> None:
        self._model = model
        self._s3 = s3
        self._bucket = bucket

    def score(self, key: str) -> None:
        """Score one part, unless this model has scored it.

        Lines that are no questions are written below ``rejects/``, with their numbers and reasons.

        Parameters
        ----------
        key : str
            Below ``questions/``.
        """
        name = key.removeprefix(QUESTIONS)
        if self._is_scored(name):
            return
        results, rejects = [], []
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        for number, line in enumerate(body.iter_lines(), start=1):
            if not line.strip():
                continue
            try:
                results.append({"line": number, **self._answer(line)})
            except ValueError as error:
                rejects.append({"line": number, "reason": _reason(error)})
        self._write(f"{REJECTS}{name}", rejects, {})
        facts = {
            "model": self._model.sha256,
            "questions": str(len(results)),
            "rejects": str(len(rejects)),
        }
        # Last: a part with a result is complete.
        self._write(f"{RESULTS}{name}", results, facts)

    def report(self) -> dict[str, Any]:
        """Compare the parts with the results, write ``report.json``, and return its figures.

        Returns
        -------
        dict
            The number of parts, questions and rejected lines, and the parts without a result of
            this model: at most ten are named in the answer, and all of them in the file.
        """
        found: dict[str, Any] = {"model_version": self._model.version, "parts": 0}
        found |= {"questions": 0, "rejects": 0}
        missing = []
        for key in self._parts():
            found["parts"] += 1
            facts = self._facts(key.removeprefix(QUESTIONS))
            if facts is None:
                missing.append(key)
            else:
                found["questions"] += int(facts["questions"])
                found["rejects"] += int(facts["rejects"])
        found["missing_parts"] = len(missing)
        content = json.dumps(found | {"missing": missing}, indent=2)
        self._s3.put_object(Bucket=self._bucket, Key=REPORT, Body=content.encode(_ENCODING))
        return found | {"missing": missing[:10]}

    def _answer(self, line: bytes) -> dict[str, Any]:
        values = json.loads(line)
        if not isinstance(values, dict):
            raise ValueError("the line is no JSON object")
        identifier = values.pop("id", None)
        question = PredictRequest.model_validate(values)
        title, body = question.title_and_body()
        if len(line) > MAX_QUESTION_BYTES:
            raise ValueError(f"the line has more than {MAX_QUESTION_BYTES} bytes")
        found = self._model.suggest(
            title,
            body,
            body_format=question.body_format,
            max_tags=question.max_tags,
            min_confidence=question.min_confidence,
            exclude=question.exclude,
        )
        return {
            "id": identifier,
            "predicted_tags": [each.tag for each in found.suggestions],
            "confidences": [round(each.confidence, 4) for each in found.suggestions],
            "top_confidence": round(found.top_confidence, 4),
            "expected_jaccard": round(found.expected_jaccard, 4),
            "quiet_reason": found.quiet_reason,
        }

    def _is_scored(self, name: str) -> bool:
        return self._facts(name) is not None

    def _facts(self, name: str) -> dict[str, str] | None:
        """Return what is known of a result of this model, or None."""
        try:
            head = self._s3.head_object(Bucket=self._bucket, Key=f"{RESULTS}{name}")
        except exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return None
        facts: dict[str, str] = head["Metadata"]
        return facts if facts.get("model") == self._model.sha256 else None

    def _write(self, key: str, lines: list[dict[str, Any]], facts: dict[str, str]) -> None:
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content.encode(_ENCODING, errors="replace"),
            Metadata=facts,
        )

    def _parts(self) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=QUESTIONS
        )
        for page in pages:
            for found in page.get("Contents", []):
                if not found["Key"].endswith("/"):
                    yield found["Key"]


def _reason(error: ValueError) -> str:
    """Describe an error without the text of the question."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'question'}: {each['msg']}"
            for each in error.errors()
        )
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"the line is no JSON ({type(error).__name__})"
    return str(error)


def handler(event: object, context: Any) -> Any:
    """Score the part that an event names, or write the report.

    Parameters
    ----------
    event : object
        ``{"part": "questions/..."}``, or ``{"report": true}``.
    context : object
        Of Lambda; not used.

    Returns
    -------
    dict
        The figures of the report; nothing for a part, because the state machine collects the
        answers of all parts, and its output is limited.

    Raises
    ------
    ArchiveEventError
        The event is another one.
    """
    del context
    match event:
        case {"part": str(key)} if key.startswith(QUESTIONS) and not key.endswith("/"):
            _archive().score(key)
            return {}
        case {"part": str(key)} if key.endswith("/"):
            return {}  # the console makes an empty object for a folder
        case {"report": True}:
            return _archive().report()
    raise ArchiveEventError(
        'The event must be {"part": "questions/..."} or {"report": true}. '
        "Start the state machine of infra_cdk/archive_scoring.py instead of this function."
    )


def _archive() -> Archive:
    global _of_this_copy  # noqa: PLW0603 (a copy of the function reads its model once)
    if _of_this_copy is None:
        variables = dict(os.environ)
        bucket = variables.pop("ETIQUETTE_ARCHIVE_BUCKET")
        settings = Settings.from_environment(variables)
        _of_this_copy = Archive(
            load_model(
                settings.model,
                settings.model_sha256,
                signature=settings.model_signature,
                signing_key=settings.model_signing_key,
            ),
            session.get_session().create_client("s3"),
            bucket,
        )
    return _of_this_copy


_of_this_copy: Archive | None = None
