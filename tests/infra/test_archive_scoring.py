"""Archive scoring: the image that serves, the map over the parts, and what both may do."""

import json
from typing import Any

import pytest

from infra_cdk.settings import Settings, SettingsError
from tests.infra.synthesis import Synthesize, Synthesized

LAMBDA = "AWS::Lambda::Function"


@pytest.fixture(scope="module")
def scoring(synthesize: Synthesize) -> Synthesized:
    return synthesize(archive_scoring=4)


def test_without_the_setting_there_is_none(synthesized: Synthesized) -> None:
    synthesized.template.resource_count_is("AWS::StepFunctions::StateMachine", 0)
    assert len(synthesized.resources(LAMBDA, "ArchiveScoring")) == 0


def test_the_function_has_the_image_and_the_model_that_serve(scoring: Synthesized) -> None:
    archive = scoring.only(LAMBDA, "ArchiveScoring")["Properties"]
    serving = scoring.only(LAMBDA, "Function")["Properties"]
    assert archive["Code"] == serving["Code"]
    assert archive["ImageConfig"] == {"Command": ["lambda_src.api.archive.handler"]}
    for name in ("ETIQUETTE_MODEL", "ETIQUETTE_MODEL_SHA256"):
        variables = [each["Environment"]["Variables"][name] for each in (archive, serving)]
        assert variables[0] == variables[1]


def test_the_map_leaves_copies_to_the_api_and_tolerates_few_failures(scoring: Synthesized) -> None:
    machine = scoring.only("AWS::StepFunctions::StateMachine")["Properties"]
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "reference" for part in parts)
    states: dict[str, Any] = json.loads(text)["States"]
    (mapped,) = (each for each in states.values() if each["Type"] == "Map")
    assert mapped["MaxConcurrency"] == 4
    assert 0 < mapped["ToleratedFailurePercentage"] <= 10
    assert mapped["Catch"][0]["Next"] == mapped["Next"] == "Report"
    (part,) = mapped["ItemProcessor"]["States"].values()
    assert part["ResultSelector"] == {}  # the output of ten thousand items must stay small


def test_the_function_may_write_results_only(scoring: Synthesized) -> None:
    role = scoring.only("AWS::IAM::Role", "ArchiveScoringFunction")["Properties"]
    written = [
        resource["Fn::Join"][1][1]
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:PutObject"
        for resource in statement["Resource"]
    ]
    assert set(written) == {"/results/*", "/rejects/*", "/report.json"}


@pytest.mark.parametrize("at_once", [-1, 6])
def test_an_archive_must_not_take_all_copies(at_once: int) -> None:
    with pytest.raises(SettingsError, match="at most half"):
        Settings(environment="dev", account_concurrency=10, archive_scoring=at_once)
