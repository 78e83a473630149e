"""The ten questions of the pre-traffic check: they are sent to a version, without API Gateway."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

QUESTIONS: Final[list[dict[str, str]]] = [
    json.loads(line)
    for line in Path(__file__).with_name("questions.jsonl").read_text(encoding="utf-8").splitlines()
]
"""The `title` and the `body` of each question. They were written for this check."""
MIN_QUESTIONS_WITH_TAGS: Final = 7
"""How many of the ten questions must get a tag. A model of another site may suggest nothing for
some of them, but not for most of them."""
_BROKEN_CONTRACT: Final = "its answer does not have the form that POST /predict promises"


class AskError(Exception):
    """The function gave no HTTP answer; the message says what happened instead.

    Parameters
    ----------
    message
        What happened.
    version
        The version that Lambda executed.
    """

    def __init__(self, message: str, version: str) -> None:
        super().__init__(message)
        self.version = version


class Answer(NamedTuple):
    """The HTTP answer that the function returned to API Gateway."""

    status: int
    body: Any
    """The decoded JSON body."""
    version: str
    """The version that Lambda executed."""


def ask(functions: Any, arn: str, path: str, body: Any = None) -> Answer:
    """Send a request to a version or an alias, in the form in which API Gateway sends it.

    Parameters
    ----------
    functions
        A boto3 client for Lambda.
    arn
        The qualified ARN of the version or alias.
    path
        The request's path, for example `/health`.
    body
        Sent as JSON with POST. Without a body, the request is a GET.

    Raises
    ------
    AskError
        If the function failed, timed out or returned something other than an HTTP answer.
    """
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "pre-traffic-check.invalid"},
        "requestContext": {
            "http": {
                "method": "GET" if body is None else "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",  # an address reserved for documentation (RFC 5737)
                "userAgent": "etiquette-pre-traffic-check",
            },
            "requestId": "pre-traffic-check",
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    answer = functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    version = answer.get("ExecutedVersion", "")
    if "FunctionError" in answer:
        raise AskError(f"the function failed: {payload.decode(errors='replace')[:300]}", version)
    try:
        returned = json.loads(payload)
        return Answer(int(returned["statusCode"]), json.loads(returned["body"]), version)
    except (ValueError, KeyError, TypeError) as error:
        raise AskError(
            f"the function did not return an HTTP answer with a JSON body ({error!r})", version
        ) from error


def find_problem(functions: Any, arn: str) -> str | None:
    """Ask a version the ten questions and stop at the first wrong answer.

    Parameters
    ----------
    functions
        A boto3 client for Lambda.
    arn
        The qualified ARN of the version.

    Returns
    -------
    str or None
        Why the version must not get traffic. None if it may.
    """
    with_tags = 0
    for number, question in enumerate(QUESTIONS, 1):
        try:
            # A draft is answered like any other question, but the metrics do not count it.
            answer = ask(functions, arn, "/predict", {**question, "draft": True})
        except AskError as error:
            return f"question {number}: {error}"
        problem = _problem_of(answer)
        if problem:
            return f"question {number}: {problem}"
        with_tags += bool(answer.body["predicted_tags"])
    if with_tags < MIN_QUESTIONS_WITH_TAGS:
        return (
            f"only {with_tags} of {len(QUESTIONS)} questions got a tag, and at least "
            f"{MIN_QUESTIONS_WITH_TAGS} must"
        )
    return None


def _problem_of(answer: Answer) -> str | None:
    if answer.status != 200:
        return f"it answered with status {answer.status}"
    body = answer.body
    try:
        tags = body["predicted_tags"]
        suggested = [each["tag"] for each in body["suggestions"]]
        confidences = [each["confidence"] for each in body["suggestions"]]
        texts = [body["prediction_id"], body["model_version"], *tags]
        keeps_contract = (
            all(isinstance(text, str) and text for text in texts)
            and all(0 <= confidence <= 1 for confidence in confidences)
            and isinstance(tags, list)
            and tags == suggested
        )
    except (KeyError, TypeError) as error:
        return f"{_BROKEN_CONTRACT} ({error!r})"
    return None if keeps_contract else _BROKEN_CONTRACT
