"""cdk-nag's AwsSolutions rules: no findings, and each suppression is for one resource."""

import json
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk import aws_sqs as sqs

from infra_cdk.app import compose
from infra_cdk.settings import ENVIRONMENTS
from tests.infra.synthesis import Synthesized


def test_a_finding_stops_the_synthesis(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), analytics_reporting=False)
    sqs.Queue(compose(app, ENVIRONMENTS["dev"]()), "WithoutDeadLetters")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS3"):
        app.synth()


def test_each_suppression_is_for_one_resource_and_gives_a_reason(combination: Synthesized) -> None:
    (metadata,) = combination.assembly.glob("*.metadata.json")
    suppressed = [
        (path, rule, reason)
        for path, entries in json.loads(metadata.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    ]
    assert suppressed
    for path, rule, reason in suppressed:
        # Only the rules about the emulator's condition are suppressed for the whole stack, and the
        # one that the CDK's own network suppresses.
        of_the_stack = {f"CloudFormation-Validate::{each}" for each in ("W8003", "W1001", "W3010")}
        assert path.count("/") > 1 or rule in of_the_stack, (
            f"{path}: suppress {rule} on the resource and not on the whole stack"
        )
        assert len(reason) > 40, f"{path}: give a reason for suppressing {rule}"


def test_there_is_no_finding_that_is_not_suppressed(combination: Synthesized) -> None:
    report = combination.assembly / "validation-report.json"
    if report.exists():
        for plugin in json.loads(report.read_text())["pluginReports"]:
            assert plugin["violations"] == [], (
                "a finding that is not suppressed, with a reason, on that resource"
            )
