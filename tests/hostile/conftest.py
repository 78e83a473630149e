"""Writes down how many cases the tests took."""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.hostile.cases import CASES, FIGURES_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def _figures() -> Generator[None]:
    yield
    if path := os.environ.get(FIGURES_VARIABLE):
        Path(path).write_text(json.dumps(CASES), encoding="utf-8")
