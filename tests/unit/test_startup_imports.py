"""What the function may import when it starts: each module makes every cold start slower."""

import json
import os
import subprocess
import sys

import pytest

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from tests.support.paths import ROOT, STARTER

ALLOWED_PACKAGES = {
    "annotated_doc",
    "annotated_types",
    "anyio",
    "aws_lambda_powertools",
    "botocore",  # Powertools registers itself there; only a model in S3 needs the client
    "cython_runtime",
    "fastapi",
    "jmespath",
    "mangum",
    "numpy",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "python_multipart",  # FastAPI imports it if it is installed; the image does not contain it
    "selectolax",
    "starlette",
    "typing_extensions",
    "typing_inspection",
}
"""Packages that FastAPI, Mangum, Powertools and the model require."""

SLOW_MODULES = {
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
    "pydantic.v1",
    "sqlite3",
    "starlette.templating",
    "starlette.testclient",
    "unittest",
    "xml",
}
"""Modules of these packages and of the standard library that are slow and not needed at start."""


@pytest.fixture(scope="module")
def in_order() -> list[str]:
    """The modules that start-up imports, in the order in which their imports begin."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import lambda_src.api.handler\n"
        "print(*[name for name in sys.modules if name not in before])"
    )
    environment = os.environ | {"ETIQUETTE_MODEL": str(STARTER)}
    command = [sys.executable, "-c", program]
    return subprocess.check_output(command, cwd=ROOT, env=environment, text=True).split()


@pytest.fixture(scope="module")
def imported(in_order: list[str]) -> set[str]:
    return set(in_order)


def test_the_interpreter_is_tuned_before_any_large_package_is_imported(
    in_order: list[str],
) -> None:
    tuned = in_order.index("lambda_src.api.startup_tuning")
    for package in ("aws_lambda_powertools", "fastapi", "numpy", "pydantic"):
        assert tuned < in_order.index(package), "lambda_src/api/handler.py must import it first"


def test_start_up_imports_no_other_packages(imported: set[str]) -> None:
    packages = {name.partition(".")[0] for name in imported}
    others = {name for name in packages - sys.stdlib_module_names if not name.startswith("_")}
    assert others - {"lambda_src"} <= ALLOWED_PACKAGES


def test_start_up_imports_no_slow_modules(imported: set[str]) -> None:
    assert imported & SLOW_MODULES == set()


def test_start_up_imports_fewer_than_650_modules(imported: set[str]) -> None:
    assert len(imported) < 650


def test_start_up_builds_no_model_of_an_openapi_document_but_the_document_is_the_same() -> None:
    program = (
        "import json\n"
        "from lambda_src.api.handler import app\n"
        "from fastapi.openapi.models import OpenAPI\n"
        "is_built = OpenAPI.__pydantic_complete__\n"
        "print(json.dumps([is_built, app.openapi()]))"
    )
    environment = os.environ | {"ETIQUETTE_MODEL": str(STARTER)}
    command = [sys.executable, "-c", program]
    output = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    is_built, document = json.loads(output)
    app = create_app(TagModel.load(STARTER), Settings(model=str(STARTER)))
    assert not is_built
    assert document == app.openapi()
