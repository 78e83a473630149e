"""An event, the build image, a candidate, a mail."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_src.tagger import TagModel
from model_build.corpus import write_questions
from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment
from tests.support.invented_corpus import invent
from tests.system.state_machines.machines import (
    executions,
    keys,
    next_run,
    states,
    why_failed,
)


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


def quality_has_fallen(deployed: Deployment, service: str = "etiquette-emulator") -> None:
    """Send the event of the monitor."""
    detail = {"service": service, "model_version": "x", "reason": "a test", "figures": {}}
    entry = {"Source": "etiquette.monitor", "DetailType": "QualityFallen"}
    answer = client(deployed.aws, "events").put_events(
        Entries=[{**entry, "Detail": json.dumps(detail)}]
    )
    assert answer["FailedEntryCount"] == 0


def received(deployed: Deployment, queue: str) -> list[dict[str, Any]]:
    """Take the messages of a queue."""
    sqs = client(deployed.aws, "sqs")
    found = []
    while messages := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


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
