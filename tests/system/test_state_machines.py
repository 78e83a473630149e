"""The state machines on the emulator, with the images that AWS would run.

Retraining: an event, the build image, a candidate, a mail. Audit: a schedule, questions, lines in
the event store, figures, an alarm. Archive scoring: parts, results, report.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambda_src.tagger import TagModel
from model_build.commands.collect import start_of
from model_build.corpus import write_questions
from model_build.questions import Question
from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment, deploy_assembly, synthesize
from scripts.emulator.local_aws import LocalAws
from scripts.emulator.logs import function_lines
from tests.support.cloudwatch.emf import read_log
from tests.support.cloudwatch.samples import MetricId
from tests.support.events import EventLog
from tests.support.invented_corpus import invent
from tests.support.stack_exchange import StackExchangeServer, question, serve_stack_exchange

N_AUDITED = 120
PATIENCE = 400
"""Seconds for one run: the container starts, trains on a thousand questions, and judges."""


@pytest.fixture(scope="module")
def own_aws(aws: LocalAws) -> Iterator[LocalAws]:
    """A second local AWS, for a stack with other settings."""
    started = LocalAws.start("state-machines-test", engine=aws.engine.name)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def deployed(own_aws: LocalAws) -> Deployment:
    settings = {"retraining": "true", "retraining_schedule": "rate(28 days)"}
    settings |= {"audit_site": "cooking", "archive_scoring": "2"}
    return deploy_assembly(own_aws, synthesize(own_aws, settings))


@pytest.fixture(scope="module")
def mails(deployed: Deployment) -> str:
    """The URL of a queue that gets what the operator would get."""
    sqs = client(deployed.aws, "sqs")
    url: str = sqs.create_queue(QueueName="mails")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    queue, topic = attributes["Attributes"]["QueueArn"], deployed.outputs["TicketTopic"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    client(deployed.aws, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    return url


def executions(deployed: Deployment, output: str = "RetrainingMachine") -> list[dict[str, Any]]:
    """All runs of a state machine, the newest last."""
    machine = deployed.outputs[output]
    found = client(deployed.aws, "stepfunctions").list_executions(stateMachineArn=machine)
    return sorted(found["executions"], key=lambda each: str(each["startDate"]))


def quality_has_fallen(deployed: Deployment, service: str = "etiquette-emulator") -> None:
    """Send the event of the monitor."""
    detail = {"service": service, "model_version": "x", "reason": "a test", "figures": {}}
    entry = {"Source": "etiquette.monitor", "DetailType": "QualityFallen"}
    answer = client(deployed.aws, "events").put_events(
        Entries=[{**entry, "Detail": json.dumps(detail)}]
    )
    assert answer["FailedEntryCount"] == 0


def next_run(
    deployed: Deployment, n_before: int, output: str = "RetrainingMachine"
) -> dict[str, Any]:
    """Wait until the run after some others has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = executions(deployed, output)
        if len(runs) > n_before and runs[-1]["status"] != "RUNNING":
            return runs[-1]
        time.sleep(1)
    raise AssertionError(f"the run did not end: {executions(deployed, output)}")


def job_log(deployed: Deployment) -> str:
    """What the jobs printed, to explain a run that failed."""
    engine = deployed.aws.engine
    jobs = engine.containers("com.amazonaws.ecs.container-name=job")
    return "\n".join(engine.call("logs", each, with_errors=True)[-3000:] for each in jobs)


def keys(deployed: Deployment, prefix: str, output: str = "RetrainingBucket") -> list[str]:
    bucket = deployed.outputs[output]
    found = client(deployed.aws, "s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def states(deployed: Deployment, run: dict[str, Any]) -> list[str]:
    """The states that a run entered."""
    history = client(deployed.aws, "stepfunctions").get_execution_history(
        executionArn=run["executionArn"]
    )
    details = [each.get("stateEnteredEventDetails") for each in history["events"]]
    return [each["name"] for each in details if each]


def why_failed(deployed: Deployment, run: dict[str, Any]) -> str:
    """The states of a run, its error, and what its job printed."""
    found = client(deployed.aws, "stepfunctions").describe_execution(
        executionArn=run["executionArn"]
    )
    error = f"{found.get('error')}: {found.get('cause')}"
    return f"{job_log(deployed)}\n{states(deployed, run)}\n{error}"


def test_a_fall_of_quality_leads_to_a_candidate_and_a_mail_once_a_week(
    deployed: Deployment, mails: str, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.parquet"
    write_questions(invent(1200, 16), questions)
    bucket = deployed.outputs["RetrainingBucket"]
    s3 = client(deployed.aws, "s3")
    s3.upload_file(str(questions), bucket, "corpus/questions/2024.parquet")

    quality_has_fallen(deployed, service="another-service")
    quality_has_fallen(deployed)
    run = next_run(deployed, 0)
    assert run["status"] == "SUCCEEDED", why_failed(deployed, run)
    assert len(executions(deployed)) == 1
    names = {Path(key).name for key in keys(deployed, f"candidates/{run['name']}/")}
    assert names == {"candidate.safetensors", "report.json", "gate.json", "result.json"}
    candidate = tmp_path / "candidate.safetensors"
    folder = f"candidates/{run['name']}"
    s3.download_file(bucket, f"{folder}/{candidate.name}", str(candidate))
    result = json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}/result.json")["Body"].read())
    assert TagModel.load(candidate, result["model_sha256"]).version == result["model_version"]
    # The invented corpus is far too small for the gate.
    assert result["outcome"] == "not enough questions"

    (mail,) = received(deployed, mails)
    assert mail["Subject"] == result["subject"]
    assert mail["Message"] == result["message"]

    quality_has_fallen(deployed)
    again = next_run(deployed, 1)
    assert again["status"] == "SUCCEEDED"
    assert states(deployed, again)[-1] == "Already this week"
    assert len(keys(deployed, "candidates/")) == 4
    assert received(deployed, mails) == []


def test_a_run_without_a_result_fails(deployed: Deployment, mails: str) -> None:
    """The emulator takes a container that fails for one that succeeded."""
    bucket = deployed.outputs["RetrainingBucket"]
    for key in keys(deployed, "corpus/"):
        client(deployed.aws, "s3").delete_object(Bucket=bucket, Key=key)
    # This is how an operator allows another run in the same week (docs/train.md).
    client(deployed.aws, "dynamodb").delete_item(
        TableName=deployed.outputs["RetrainingTable"],
        Key={"service": {"S": "etiquette-emulator"}},
    )
    n_before = len(executions(deployed))
    quality_has_fallen(deployed)
    run = next_run(deployed, n_before)
    assert run["status"] == "FAILED"
    assert states(deployed, run)[-1] == "No result"
    assert received(deployed, mails) == []


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


def both_runs(deployed: Deployment, output: str) -> list[dict[str, Any]]:
    """Wait until two runs have ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = executions(deployed, output)
        if len(runs) == 2 and all(run["status"] != "RUNNING" for run in runs):
            return runs
        time.sleep(1)
    raise AssertionError(f"the runs did not end: {executions(deployed, output)}")


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


def test_an_archive_is_scored_and_a_second_run_does_what_is_missing(
    deployed: Deployment, starter: TagModel, samples: list[Question]
) -> None:
    s3, bucket = client(deployed.aws, "s3"), deployed.outputs["ArchiveBucket"]
    for part in range(3):
        lines = [
            json.dumps({"id": number, "title": each.title, "body": each.body})
            for number, each in enumerate(samples[part * 10 : part * 10 + 10])
        ]
        text = "\n".join([*lines, "no JSON"])
        s3.put_object(Bucket=bucket, Key=f"questions/part-{part}.jsonl", Body=text.encode())
    first = score_archive(deployed, 0)
    assert first["status"] == "SUCCEEDED"
    report = output_of(deployed, first)
    assert report | {"model_version": ""} == {
        "model_version": "",
        "parts": 3,
        "questions": 30,
        "rejects": 3,
        "missing_parts": 0,
        "missing": [],
    }
    written = s3.get_object(Bucket=bucket, Key="results/part-1.jsonl")["Body"].read().splitlines()
    for line, sample in zip(written, samples[10:20], strict=True):
        answer = starter.suggest(sample.title, sample.body)
        assert json.loads(line)["predicted_tags"] == [each.tag for each in answer.suggestions]

    etags = {
        key: s3.head_object(Bucket=bucket, Key=key)["ETag"]
        for key in keys(deployed, "results/", "ArchiveBucket")
    }
    s3.delete_object(Bucket=bucket, Key="results/part-1.jsonl")
    second = score_archive(deployed, 1)
    assert second["status"] == "SUCCEEDED"
    assert output_of(deployed, second)["questions"] == 30
    again = {
        key: s3.head_object(Bucket=bucket, Key=key)["ETag"]
        for key in keys(deployed, "results/", "ArchiveBucket")
    }
    assert again == etags


def score_archive(deployed: Deployment, n_before: int) -> dict[str, Any]:
    client(deployed.aws, "stepfunctions").start_execution(
        stateMachineArn=deployed.outputs["ArchiveMachine"]
    )
    return next_run(deployed, n_before, "ArchiveMachine")


def output_of(deployed: Deployment, run: dict[str, Any]) -> dict[str, Any]:
    described = client(deployed.aws, "stepfunctions").describe_execution(
        executionArn=run["executionArn"]
    )
    found: dict[str, Any] = json.loads(described["output"])
    return found


def received(deployed: Deployment, queue: str) -> list[dict[str, Any]]:
    """Take the messages of a queue."""
    sqs = client(deployed.aws, "sqs")
    found = []
    while messages := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found
