"""What every kind of test shares: sample questions, models, and skips that CI does not allow."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, get_args

import pytest

from lambda_src.tagger import TagModel
from lambda_src.tagger.kernel import load_library
from lambda_src.tagger.model import RankerChoice
from model_build.questions import Question

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
STARTER = ROOT / "model_build" / "starter" / "starter.safetensors"
SAMPLES = ROOT / "tests" / "samples" / "questions.jsonl"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skip a failure where CI=true: there, everything can run."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _real_questions_where_there_are_some(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("data") and not DATA.is_dir():
        pytest.skip("the real questions lie beside a development checkout only")


@pytest.fixture(scope="session")
def samples() -> list[Question]:
    """Questions written for this project; no model was trained on them."""
    lines = SAMPLES.read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [Question.from_row({**row, "id": None}) for row in rows]


@pytest.fixture(params=get_args(RankerChoice)[1:], scope="session")
def ranker(request: pytest.FixtureRequest) -> RankerChoice:
    """Each implementation of the ranker in turn: whoever uses it tests both."""
    choice: RankerChoice = request.param
    if choice == "kernel" and load_library() is None:
        pytest.skip("the kernel is not compiled: run scripts/setup kernel")
    return choice


@pytest.fixture(scope="session")
def starter() -> TagModel:
    """The model that the repository carries."""
    return TagModel.load(STARTER)
