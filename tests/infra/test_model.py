"""The description of a release's model, for people and for scripts/releases."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.model import ModelFileError, identify
from lambda_src.tagger import TagModel, read_bundle
from model_build.evaluation import judge, report
from model_build.questions import Question
from scripts.releasing.function import facts_of
from tests.infra.synthesis import Synthesize
from tests.support.paths import STARTER


@pytest.fixture(scope="module")
def evaluated(starter: TagModel, samples: list[Question]) -> dict[str, Any]:
    return report(starter, judge(starter, samples[:20]), draws=10)


def written(folder: Path, content: Any) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return path


def test_the_description_comes_from_the_bundle_and_its_evaluation(
    evaluated: dict[str, Any], starter: TagModel, tmp_path: Path
) -> None:
    without = facts_of(identify(STARTER).description)
    assert without["model"] == starter.version
    assert without["tags"] == str(len(starter.tags))
    card = {kind["kind"]: kind for kind in read_bundle(STARTER).manifest["quality"]["questions"]}
    of_bodies = card["with bodies"]["sample_jaccard"][0]
    assert without["with_bodies.sample_jaccard"] == f"{of_bodies:.3f}"
    described = identify(STARTER, written(tmp_path, evaluated)).description
    facts = facts_of(described)
    assert facts["sample_jaccard"] == f"{evaluated['sample_jaccard']:.3f}"
    assert "with_bodies.sample_jaccard" not in facts
    for each in (described, identify(STARTER).description):
        assert len(each) < 256  # Lambda accepts no more, and nothing was cut off


def test_the_function_has_the_description(
    synthesize: Synthesize, evaluated: dict[str, Any], tmp_path: Path
) -> None:
    stack = synthesize(report=written(tmp_path, evaluated))
    function = stack.only("AWS::Lambda::Function", "Function")["Properties"]
    assert facts_of(function["Description"])["ece"] == f"{evaluated['ece']:.3f}"


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"model_sha256": "0" * 64}, "evaluate this model"),
        ({"ece": None}, "evaluate --json"),
        ({"model_sha256": None}, "evaluate this model"),
    ],
)
def test_a_report_about_another_bundle_is_refused(
    evaluated: dict[str, Any], tmp_path: Path, changes: dict[str, Any], advice: str
) -> None:
    with pytest.raises(ModelFileError, match=advice):
        identify(STARTER, written(tmp_path, evaluated | changes))


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"absent\.json is not the report"):
        identify(STARTER, tmp_path / "absent.json")
