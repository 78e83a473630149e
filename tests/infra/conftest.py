"""Fixtures of the infrastructure's tests, which are skipped without Node.js."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

if shutil.which("node"):  # without it, importing the CDK fails
    from tests.infra.synthesis import (
        combination,
        other_model,
        synthesize,
        synthesize_anew,
        synthesized,
        with_every_alarm,
    )

    __all__ = [
        "combination",
        "other_model",
        "synthesize",
        "synthesize_anew",
        "synthesized",
        "with_every_alarm",
    ]


class _WithoutNode(pytest.Module):
    def collect(self) -> NoReturn:
        without_node = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        without_node("the AWS CDK needs Node.js: run scripts/local_aws prepare")


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Without Node.js, skip the modules visibly, or fail in CI."""
    if shutil.which("node"):
        return None
    return _WithoutNode.from_parent(parent, path=module_path)
