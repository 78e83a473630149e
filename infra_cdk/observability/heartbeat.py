"""A question that is asked on a schedule, so that silence means something."""

import json
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

QUESTION: Final = "How do I merge two dictionaries in Python?"


def request() -> dict[str, Any]:
    """Make the question as API Gateway would hand it to the function, payload format 2.0.

    A draft: it is answered, and counts as no prediction.
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
    """Asks `live` a question every few minutes.

    Without it, silence would be an alarm only where traffic never stops. It asks the function, not
    the API: it needs no token where the API wants one, and what is wrong in front of the function
    shows as 4xx and 5xx of those who call. It also keeps the version that is live from falling
    asleep, as versions with SnapStart do after 14 days without a request.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, alias: lambda_.Alias, minutes: int
    ) -> None:
        super().__init__(scope, construct_id)
        # The next beat is the repetition: Lambda's own two would count an error three times.
        alias.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
        events.Rule(
            self,
            "Rule",
            description="Asks the function a question, so that silence means something",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[
                targets.LambdaFunction(
                    alias,
                    event=events.RuleTargetInput.from_object(request()),
                    retry_attempts=0,
                )
            ],
        )
