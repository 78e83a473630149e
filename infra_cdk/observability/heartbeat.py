"""The heartbeat: a schedule that asks the API function a question every few minutes."""

import json
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

QUESTION: Final = "How do I merge two dictionaries in Python?"


def request() -> dict[str, Any]:
    """Return the question in the form in which API Gateway sends requests, payload format 2.0.

    It is a draft: the function answers it, but does not count it as a prediction.
    """
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "heartbeat"},
        "requestContext": {
            "http": {
                "method": "POST",
                "path": "/predict",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "heartbeat",
            },
            "requestId": "heartbeat",
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": json.dumps({"text": QUESTION, "draft": True}),
        "isBase64Encoded": False,
    }


class Heartbeat(Construct):
    """Asks `live` a question every few minutes, so that a silent function means a broken one.

    Without it, an alarm on silence would work only if callers never paused. It invokes the function
    and not the API, so that it needs no token; faults in front of the function show as 4xx and 5xx
    answers to callers. It also keeps the live version active: Lambda makes versions with SnapStart
    inactive after 14 days without a request.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, alias: lambda_.Alias, minutes: int
    ) -> None:
        super().__init__(scope, construct_id)
        # The next beat repeats a failed one: with Lambda's two retries, it would count three times.
        alias.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
        events.Rule(
            self,
            "Rule",
            description="Asks the API function a question, so that silence raises an alarm",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[
                targets.LambdaFunction(
                    alias,
                    event=events.RuleTargetInput.from_object(request()),
                    retry_attempts=0,
                )
            ],
        )
