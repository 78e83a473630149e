"""A schedule, questions, lines in the event store, figures, an alarm."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambda_src.tagger import TagModel
from model_build.commands.collect import start_of
from model_build.questions import Question
from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment
from scripts.emulator.logs import function_lines
from tests.support.cloudwatch.emf import read_log
from tests.support.cloudwatch.samples import MetricId
from tests.support.events import EventLog
from tests.support.stack_exchange import StackExchangeServer, question, serve_stack_exchange
from tests.system.state_machines.machines import (
    both_runs,
    job_log,
    keys,
    why_failed,
)

N_AUDITED = 120


@pytest.fixture
def site(deployed: Deployment, samples: list[Question]) -> Iterator[StackExchangeServer]:
    """A Stack Exchange API for containers."""
    asked = start_of(datetime.now(UTC).date() - timedelta(days=3))
    questions = [
        question(
            number,
            asked + number * 60,
            title=each.title,
            body=each.body if each.body_format == "html" else f"<p>{each.title}</p>",
            tags=["py-lang" if tag == "python" else tag for tag in each.tags],
        )
        for number, each in enumerate(samples[:N_AUDITED], 1)
    ]
    server = StackExchangeServer(questions)
    server.synonyms = [("python", "py-lang")]
    with serve_stack_exchange(server, deployed.aws.state.host) as running:
        yield running


def test_two_audits_of_a_day_lead_to_one_file_and_to_data_for_the_alarm(
    deployed: Deployment, site: StackExchangeServer, starter: TagModel
) -> None:
    target = schedule_of(deployed, "AuditMachine")
    assert json.loads(target["Input"]) == {"options": []}
    more = {"options": ["--base-url", site.url]}
    today = datetime.now(UTC).date()
    # EventBridge may deliver an event twice.
    for _ in range(2):
        client(deployed.aws, "stepfunctions").start_execution(
            stateMachineArn=target["Arn"], input=json.dumps(more)
        )
    for run in both_runs(deployed, "AuditMachine"):
        assert run["status"] == "SUCCEEDED", why_failed(deployed, run)
    found = keys(deployed, "audits/", "EventStoreBucket")
    assert len(found) == 1, job_log(deployed)
    (key,) = found
    lines = [json.loads(line) for line in content_of(deployed, key).splitlines()]
    assert [line["question_id"] for line in lines] == list(range(1, N_AUDITED + 1))
    assert {line["model_version"] for line in lines} == {starter.version}
    logged = function_lines(deployed)
    assert not any(
        '"event_type":"prediction"' in line or '"Predictions"' in line for line in logged
    )

    write_feedback(deployed, starter, site, today)
    samples = run_monitor(deployed)
    day = json.loads(content_of(deployed, f"days/{today}.json"))
    audit = day["audits"][starter.version]
    assert audit["questions"] == N_AUDITED
    shares = [
        jaccard({"python" if tag == "py-lang" else tag for tag in each["tags"]}, each, starter)
        for each in site.questions
    ]
    found = audit["sample_jaccard"]
    assert found["numerator"] / found["denominator"] == pytest.approx(mean(shares), abs=1e-4)
    (alarm,) = client(deployed.aws, "cloudwatch").describe_alarms(
        AlarmNames=["etiquette-emulator-feedback-and-audit"]
    )["MetricAlarms"]
    dimensions = frozenset((each["Name"], each["Value"]) for each in alarm["Dimensions"])
    watched = MetricId(alarm["Namespace"], alarm["MetricName"], dimensions)
    # All feedback names the suggested tags.
    assert samples[watched] == pytest.approx(1 - mean(shares), abs=1e-4)
    assert samples[watched._replace(name="AuditedQuestions")] == N_AUDITED


def test_the_role_of_the_audit_allows_nothing_else(deployed: Deployment) -> None:
    iam, outputs = client(deployed.aws, "iam"), deployed.outputs
    roles = [each for page in iam.get_paginator("list_roles").paginate() for each in page["Roles"]]
    (role,) = (each["Arn"] for each in roles if "AuditJobRole" in each["RoleName"])
    taken = client(deployed.aws, "sts").assume_role(RoleArn=role, RoleSessionName="audit")
    session: Any = boto3.session.Session(
        aws_access_key_id=taken["Credentials"]["AccessKeyId"],
        aws_secret_access_key=taken["Credentials"]["SecretAccessKey"],
        aws_session_token=taken["Credentials"]["SessionToken"],
        region_name=deployed.aws.environment["AWS_REGION"],
    )
    functions, s3 = (
        session.client(service, endpoint_url=deployed.aws.endpoint) for service in ("lambda", "s3")
    )
    bucket, alias = outputs["EventStoreBucket"], outputs["FunctionAlias"]
    # The payload is no request, which the function answers, too.
    assert functions.invoke(FunctionName=alias, Payload=b"{}")["StatusCode"] == 200
    s3.put_object(Bucket=bucket, Key="audits/date=2000-01-01/a.jsonl", Body=b"")
    others: list[Callable[[], object]] = [
        lambda: functions.invoke(FunctionName=alias.removesuffix(":live"), Payload=b"{}"),
        lambda: s3.put_object(Bucket=bucket, Key="events/date=2000-01-01/a.jsonl", Body=b""),
        lambda: s3.get_object(Bucket=bucket, Key="audits/date=2000-01-01/a.jsonl"),
        lambda: s3.list_objects_v2(Bucket=bucket),
    ]
    for denied in others:
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            denied()


def schedule_of(deployed: Deployment, output: str) -> dict[str, Any]:
    """The target of the schedule that starts a state machine."""
    events = client(deployed.aws, "events")
    rules = [each["Name"] for each in events.list_rules()["Rules"] if "ScheduleExpression" in each]
    targets = [
        target for rule in rules for target in events.list_targets_by_rule(Rule=rule)["Targets"]
    ]
    (found,) = (each for each in targets if each["Arn"] == deployed.outputs[output])
    assert isinstance(found, dict)
    return found


def content_of(deployed: Deployment, key: str) -> str:
    s3, bucket = client(deployed.aws, "s3"), deployed.outputs["EventStoreBucket"]
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content.decode()


def write_feedback(
    deployed: Deployment, starter: TagModel, site: StackExchangeServer, today: date
) -> None:
    """Put predictions with feedback into the event store: people chose what was suggested."""
    log = EventLog(starter, service="etiquette-emulator")
    at = datetime(today.year, today.month, today.day, tzinfo=UTC)
    for each in site.questions:
        suggested = starter.suggest(each["title"], each["body"], body_format="html").suggestions
        prediction = log.predict(at, each["title"], each["body"], body_format="html")
        log.feedback(at, prediction, final_tags=[each.tag for each in suggested] or ["none"])
    client(deployed.aws, "s3").put_object(
        Bucket=deployed.outputs["EventStoreBucket"],
        Key=f"events/date={today}/00.jsonl",
        Body="".join(f"{line}\n" for line in log.events()).encode(),
    )


def run_monitor(deployed: Deployment) -> dict[MetricId, float]:
    """Run the deployed monitor; return the metrics of its log."""
    functions = client(deployed.aws, "lambda")
    (name,) = (
        each["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if "Monitor" in each["FunctionName"]
    )
    answer = functions.invoke(FunctionName=name, LogType="Tail")
    assert "FunctionError" not in answer, answer["Payload"].read()
    pages = client(deployed.aws, "logs").get_paginator("filter_log_events")
    messages = [
        event["message"].rstrip("\n")
        for page in pages.paginate(logGroupName=deployed.outputs["MonitorLogGroup"])
        for event in page["events"]
    ]
    return {each.metric: each.value for each in read_log("\n".join(messages).encode())}


def jaccard(tags: set[str], asked: dict[str, Any], starter: TagModel) -> float:
    suggestions = starter.suggest(asked["title"], asked["body"], body_format="html").suggestions
    suggested = {each.tag for each in suggestions}
    return len(tags & suggested) / len(tags | suggested)
