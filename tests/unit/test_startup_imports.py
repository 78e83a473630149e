"""What the function may import when it starts: every module costs each cold start."""

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT, STARTER

OTHERS_CODE = {
    "annotated_doc",
    "annotated_types",
    "anyio",
    "aws_lambda_powertools",
    "botocore",  # Powertools names itself to it; its client comes with a model in S3
    "cython_runtime",
    "fastapi",
    "jmespath",
    "mangum",
    "numpy",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "python_multipart",  # FastAPI takes it where it is; the image has none
    "selectolax",
    "starlette",
    "typing_extensions",
    "typing_inspection",
}
"""Packages that FastAPI, Mangum, Powertools and the model cannot do without."""

HEAVY = {
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "botocore.client",
    "botocore.httpsession",
    "botocore.session",
    "fastapi.testclient",
    "multiprocessing",
    "numpy.f2py",
    "numpy.ma",
    "numpy.polynomial",
    "numpy.random",
    "numpy.testing",
    "pydantic.mypy",
    "sqlite3",
    "starlette.templating",
    "starlette.testclient",
    "unittest",
    "xml",
}
"""Parts of those, and of the standard library, that are slow to import and not needed at start."""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import lambda_src.api.handler\n"
        "print(*set(sys.modules) - before)"
    )
    told = os.environ | {"ETIQUETTE_MODEL": str(STARTER)}
    command = [sys.executable, "-c", program]
    return set(subprocess.check_output(command, cwd=ROOT, env=told, text=True).split())


def test_start_up_imports_no_other_packages(imported: set[str]) -> None:
    packages = {name.partition(".")[0] for name in imported}
    others = {name for name in packages - sys.stdlib_module_names if not name.startswith("_")}
    assert others - {"lambda_src"} <= OTHERS_CODE


def test_start_up_imports_no_heavy_parts(imported: set[str]) -> None:
    assert imported & HEAVY == set()


def test_start_up_imports_about_as_many_modules_as_ever(imported: set[str]) -> None:
    assert len(imported) < 650
