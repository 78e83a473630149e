"""Parts of an archive, their results, a report."""

import json
from typing import Any

from lambda_src.tagger import TagModel
from model_build.questions import Question
from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment
from tests.system.state_machines.machines import (
    keys,
    next_run,
)


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
