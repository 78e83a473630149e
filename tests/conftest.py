"""Fixtures of all tests: sample questions and the starter model. CI=true makes skips fail."""

import json
import os
from collections.abc import Generator
from importlib.util import find_spec
from typing import Any, get_args

import pytest

from lambda_src.tagger import TagModel
from lambda_src.tagger.kernel import load_library
from lambda_src.tagger.model import RankerChoice
from model_build.questions import Question
from tests.support.paths import DATA, SAMPLES, STARTER


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn skips into failures if CI=true, where every test can run."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true does not allow: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _skip_without_what_a_marker_needs(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("data") and not DATA.is_dir():
        pytest.skip("the real questions exist only beside a development checkout")
    if request.node.get_closest_marker("cross_build") and find_spec("ziglang") is None:
        pytest.skip("cross builds need the Zig compiler: run scripts/setup zig")


@pytest.fixture(scope="session")
def samples() -> list[Question]:
    """Questions written for this project. No model was trained on them."""
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
    """The starter model of the repository."""
    return TagModel.load(STARTER)
