"""The checks of scripts/verify. Each returns what it found and never raises on a wrong answer."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from lambda_src import metrics
from scripts.verifying.deployed import Deployed

QUESTION: Final = "How do I merge two dictionaries in Python?"
TICKET_ALARM: Final = "server-errors"
PAGE_ALARMS: Final = ("failed-requests", "service-down")
"""The alarm that is set, and the one that it raises, which pages."""
_REASON: Final = "Fire drill of scripts/verify: nothing is wrong"
_REFUSED: Final = {"jwt": 401, "iam": 403}
_POLL_SECONDS: Final = 10

Found = TypeVar("Found")


class Outcome(StrEnum):
    """What a check says."""

    PASSED = "ok"
    FAILED = "FAILED"
    NOT_CHECKED = "not checked here"


class Result(NamedTuple):
    """The result of one check."""

    check: str
    """What was checked, in a few words."""
    outcome: Outcome
    detail: str
    """What was found, or why nothing could be checked here."""

    def __str__(self) -> str:
        return f"{self.outcome}: {self.check}: {self.detail}"


@dataclass(frozen=True)
class Verification:
    """The checks of one deployment.

    Attributes
    ----------
    deployed
        The deployment.
    patience
        The most seconds to wait for what AWS does later, such as making metrics from the log.
    page
        Whether the drill pages, too.
    sleep
        Waits for so many seconds.
    """

    deployed: Deployed
    patience: float
    page: bool = False
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Iterator[Result]:
        """Run all checks, in the order in which an operator would."""
        started = datetime.now(UTC)
        yield self.version()
        yield self.health()
        yield self.prediction()
        yield self.authorization()
        yield self.log(started)
        yield self.metric(started)
        yield self.canary()
        yield self.subscriptions()
        yield self.alarm(TICKET_ALARM, TICKET_ALARM)
        if self.page:
            yield self.alarm(*PAGE_ALARMS)

    @property
    def _on_emulator(self) -> bool:
        return self.deployed.environment == "emulator"

    @property
    def _function(self) -> tuple[str, str]:
        """The name of the function, and that of the alias."""
        function, _, alias = self.deployed.outputs["FunctionAlias"].rpartition(":")
        return function.rpartition(":")[2], alias

    def _live(self) -> dict[str, Any]:
        """Lambda's configuration of the live version."""
        name, alias = self._function
        functions = self.deployed.client("lambda")
        found: dict[str, Any] = functions.get_function_configuration(
            FunctionName=name, Qualifier=alias
        )
        return found

    def version(self) -> Result:
        """Check that the live version is active."""
        live = self._live()
        found = f"version {live['Version']} is {live['State']}"
        reason = live.get("StateReason")
        if live["State"] == "Active":
            return Result("live version", Outcome.PASSED, found)
        return Result("live version", Outcome.FAILED, f"{found}: {reason}" if reason else found)

    def health(self) -> Result:
        """Check that the public URL reaches the live version's model."""
        check = "/health through the public URL"
        reply = self.deployed.request("/health")
        if reply.status != 200:
            return Result(check, Outcome.FAILED, str(reply))
        served = _json(reply.body).get("model_sha256", "")
        expected = self._live()["Environment"]["Variables"]["ETIQUETTE_MODEL_SHA256"]
        if served != expected:
            return Result(
                check,
                Outcome.FAILED,
                f"it answers with the model {served[:12]}, but the live version has "
                f"{expected[:12]}. Is a canary under way, or does the address belong to another "
                "deployment?",
            )
        return Result(check, Outcome.PASSED, f"it answers with the model {served[:12]}")

    def prediction(self) -> Result:
        """Check that a question gets an answer."""
        reply = self.deployed.request("/predict", {"text": QUESTION})
        if reply.status != 200:
            return Result("one prediction", Outcome.FAILED, str(reply))
        tags = _json(reply.body).get("predicted_tags")
        if not isinstance(tags, list):
            return Result("one prediction", Outcome.FAILED, "the answer has no predicted_tags")
        return Result("one prediction", Outcome.PASSED, f"tags: {', '.join(tags) or 'none'}")

    def authorization(self) -> Result:
        """Check that a request without credentials is refused, where they are needed."""
        check = "a request without credentials"
        auth = self.deployed.outputs["Auth"]
        if auth not in _REFUSED:
            return Result(check, Outcome.NOT_CHECKED, f"auth={auth} lets everybody in")
        reply = self.deployed.request("/predict", {"text": QUESTION}, with_credentials=False)
        expected = _REFUSED[auth]
        outcome = Outcome.PASSED if reply.status == expected else Outcome.FAILED
        return Result(check, outcome, f"{reply}, and it must be {expected}")

    def log(self, started: datetime) -> Result:
        """Check that the prediction's metrics line is in the function's log."""
        check = "the metrics line in the log"
        logs = self.deployed.client("logs")

        def found() -> bool:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.deployed.outputs["ApiFunctionLogGroup"],
                startTime=int((started.timestamp() - 60) * 1000),
            )
            lines = [event["message"] for page in pages for event in page["events"]]
            return any('"_aws"' in line and metrics.PREDICTIONS.name in line for line in lines)

        if self._wait_for(found):
            return Result(check, Outcome.PASSED, f"{metrics.PREDICTIONS.name} is there")
        return Result(
            check, Outcome.FAILED, f"no line with {metrics.PREDICTIONS.name} since the prediction"
        )

    def metric(self, started: datetime) -> Result:
        """Check that CloudWatch made a metric from that line."""
        check = f"the metric {metrics.PREDICTIONS.name} in CloudWatch"
        if self._on_emulator:
            return Result(check, Outcome.NOT_CHECKED, "the emulator makes no metrics from the log")
        dimensions = {metrics.SERVICE_DIMENSION: self.deployed.stack}
        found = self._wait_for(
            lambda: self._sum(
                metrics.NAMESPACE, metrics.PREDICTIONS.name, dimensions, started - _MINUTE
            )
        )
        if found:
            return Result(check, Outcome.PASSED, f"{found:.0f} since the prediction")
        return Result(check, Outcome.FAILED, f"no datapoint after {self.patience:.0f} seconds")

    def canary(self) -> Result:
        """Report how many requests the live version got during its canary."""
        check = "the canary's requests"
        if self._on_emulator:
            return Result(check, Outcome.NOT_CHECKED, "the emulator has no CodeDeploy")
        name, alias = self._function
        dimensions = {
            "FunctionName": name,
            "Resource": f"{name}:{alias}",
            "ExecutedVersion": self._live()["Version"],
        }
        requests = self._sum("AWS/Lambda", "Invocations", dimensions, datetime.now(UTC) - _DAY)
        if requests == 0:
            return Result(check, Outcome.NOT_CHECKED, "there was no canary in the last 24 hours")
        return Result(
            check, Outcome.PASSED, f"the live version got {requests:.0f} in the last 24 hours"
        )

    def subscriptions(self) -> Result:
        """Check that somebody gets the pages and the tickets."""
        check = "subscribers of the alarms"
        topics = self.deployed.client("sns")
        without = []
        for output in ("PageTopic", "TicketTopic"):
            found = topics.list_subscriptions_by_topic(TopicArn=self.deployed.outputs[output])
            arns = [each["SubscriptionArn"] for each in found["Subscriptions"]]
            if not any(arn.startswith("arn:") for arn in arns):
                pending = " (a mail waits for confirmation)" if arns else ""
                without.append(f"{output} has none{pending}")
        if not without:
            return Result(check, Outcome.PASSED, "both topics have confirmed subscribers")
        outcome = Outcome.FAILED if self.deployed.environment == "prod" else Outcome.NOT_CHECKED
        return Result(check, outcome, "; ".join(without))

    def alarm(self, to_set: str, notifies: str) -> Result:
        """Set an alarm, and check in the history that it notified its topic.

        CloudWatch puts the alarm back into its real state at its next evaluation ("SetAlarmState",
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html).

        Parameters
        ----------
        to_set
            The end of the name of the alarm that is set.
        notifies
            The end of the name of the alarm whose action must follow.
        """
        names = {each: f"{self.deployed.stack}-{each}" for each in (to_set, notifies)}
        check = f"the alarm {names[notifies]}"
        cloudwatch = self.deployed.client("cloudwatch")
        found = cloudwatch.describe_alarms(AlarmNames=[names[to_set]])["MetricAlarms"]
        if any(each["StateValue"] == "ALARM" for each in found):
            return Result(
                check,
                Outcome.FAILED,
                f"{names[to_set]} is raised already, and not by this drill: see the runbook, and "
                "repeat the drill afterwards",
            )
        started = datetime.now(UTC) - timedelta(seconds=5)
        cloudwatch.set_alarm_state(AlarmName=names[to_set], StateValue="ALARM", StateReason=_REASON)

        def history(kind: str) -> list[str]:
            found = cloudwatch.describe_alarm_history(
                AlarmName=names[notifies],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                HistoryItemType=kind,
                StartDate=started,
                EndDate=datetime.now(UTC) + _MINUTE,
            )
            return [each["HistorySummary"] for each in found["AlarmHistoryItems"]]

        try:
            if not self._wait_for(lambda: history("StateUpdate")):
                return Result(check, Outcome.FAILED, "it did not change its state")
            if self._on_emulator:
                return Result(
                    check,
                    Outcome.PASSED,
                    f"it changed its state ({Outcome.NOT_CHECKED}: its action, because the "
                    "emulator keeps no history of actions)",
                )
            done = self._wait_for(
                lambda: [each for each in history("Action") if each.startswith("Successfully")]
            )
            if done:
                return Result(check, Outcome.PASSED, f"it notified: {done[0]}")
            return Result(
                check,
                Outcome.FAILED,
                f"no action succeeded: {'; '.join(history('Action')) or 'none was tried'}",
            )
        finally:
            cloudwatch.set_alarm_state(
                AlarmName=names[to_set], StateValue="OK", StateReason=_REASON
            )

    def _sum(self, namespace: str, name: str, dimensions: dict[str, str], since: datetime) -> float:
        found = self.deployed.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=since,
            EndTime=datetime.now(UTC) + _MINUTE,
            Period=60 if datetime.now(UTC) - since < _HOUR else 3600,
            Statistics=["Sum"],
        )
        return sum(float(each["Sum"]) for each in found["Datapoints"])

    def _wait_for(self, look: Callable[[], Found]) -> Found:
        """Look until something is found, or the patience is used up; return the last look."""
        waited = 0.0
        while True:
            found = look()
            if found or waited >= self.patience:
                return found
            self.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS


_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def _json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; anything else is an empty one."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
