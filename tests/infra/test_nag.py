"""AWS's rules for solutions: nothing is left to find; what is argued away is one thing each."""

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


def test_each_argument_is_for_one_thing(combination: Synthesized) -> None:
    (metadata,) = combination.assembly.glob("*.metadata.json")
    argued = [
        (path, rule, reason)
        for path, entries in json.loads(metadata.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    ]
    assert argued
    for path, rule, reason in argued:
        # Of the whole stack, one thing only is said: the emulator's condition is false.
        of_the_condition = {"CloudFormation-Validate::W8003", "CloudFormation-Validate::W1001"}
        assert path.count("/") > 1 or rule in of_the_condition, path
        assert len(reason) > 40, path


def test_nothing_is_found(combination: Synthesized) -> None:
    report = combination.assembly / "validation-report.json"
    if report.exists():
        for plugin in json.loads(report.read_text())["pluginReports"]:
            assert plugin["violations"] == []
