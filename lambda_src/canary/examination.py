"""Ten sample questions for one published version, asked past API Gateway."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

QUESTIONS: Final[list[dict[str, str]]] = [
    json.loads(line)
    for line in Path(__file__).with_name("questions.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Written for this check; `title` and `body` of each."""
WITH_TAGS: Final = 7
"""So many of the ten must get a tag: another model may be silent on some, but not on most."""


class AskError(Exception):
    """The version gave no answer: the message says what it did instead."""


class Answer(NamedTuple):
    """What the function returned, as API Gateway would hand it on."""

    status: int
    body: Any
    """What the JSON holds."""


def ask(functions: Any, arn: str, path: str, body: Any = None) -> Answer:
    """Send a request to one version, as API Gateway would.

    Parameters
    ----------
    functions
        boto3's client of Lambda.
    arn
        The version's qualified ARN.
    path
        Such as `/health`.
    body
        Posted as JSON; without it, the request is a GET.

    Raises
    ------
    AskError
        If the function failed, timed out or returned something that is no HTTP answer.
    """
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "canary.invalid"},
        "requestContext": {
            "http": {
                "method": "GET" if body is None else "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",  # an address kept for documentation (RFC 5737)
                "userAgent": "etiquette-canary",
            },
            "requestId": "canary",
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    answer = functions.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise AskError(f"it failed: {payload.decode(errors='replace')[:300]}")
    try:
        given = json.loads(payload)
        return Answer(int(given["statusCode"]), json.loads(given["body"]))
    except (ValueError, KeyError, TypeError) as error:
        raise AskError(f"what it returned is no HTTP answer with JSON ({error!r})") from error


def examine(functions: Any, arn: str) -> str | None:
    """Ask a version the ten questions, up to the first answer that is wrong.

    Parameters
    ----------
    functions
        boto3's client of Lambda.
    arn
        The version's qualified ARN.

    Returns
    -------
    str or None
        What speaks against it; None if it may serve.
    """
    with_tags = 0
    for number, question in enumerate(QUESTIONS, 1):
        try:
            # As a draft: answered like any other, but not counted in the metrics.
            answer = ask(functions, arn, "/predict", {**question, "draft": True})
        except AskError as error:
            return f"question {number}: {error}"
        wrong = _what_is_wrong(answer)
        if wrong:
            return f"question {number}: {wrong}"
        with_tags += bool(answer.body["predicted_tags"])
    if with_tags < WITH_TAGS:
        return f"only {with_tags} of {len(QUESTIONS)} questions got a tag"
    return None


def _what_is_wrong(answer: Answer) -> str | None:
    if answer.status != 200:
        return f"it answered {answer.status}"
    body = answer.body
    try:
        tags = body["predicted_tags"]
        named = [each["tag"] for each in body["suggestions"]]
        confidences = [each["confidence"] for each in body["suggestions"]]
        texts = [body["prediction_id"], body["model_version"], *tags]
        as_promised = (
            all(isinstance(text, str) and text for text in texts)
            and all(0 <= confidence <= 1 for confidence in confidences)
            and isinstance(tags, list)
            and tags == named
        )
    except (KeyError, TypeError) as error:
        return f"its answer is not what POST /predict promises ({error!r})"
    return None if as_promised else "its answer is not what POST /predict promises"
