"""The function's image: its content, and its behaviour with a wrong model."""

import hashlib
import json

import pytest

from scripts.emulator.local_aws import LocalAws
from tests.support.api_gateway import gateway_event
from tests.support.paths import ROOT, STARTER
from tests.system.containers import running

MODEL = "/opt/model/starter.safetensors"
MOUNT = ("--volume", f"{STARTER.parent}:/opt/model:ro")
DIGEST = hashlib.sha256(STARTER.read_bytes()).hexdigest()
HEALTH = gateway_event("GET", "/health")


def shell(aws: LocalAws, image: str, script: str) -> list[str]:
    """Run a script in the image and return its output."""
    # Without a network: podman does not remove the bridge of its default network.
    output = aws.engine.call(
        "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", script
    )
    return output.splitlines()


def test_it_contains_only_our_code_that_serves(aws: LocalAws, image: str) -> None:
    compiled = "-name '*.pyc' -o -name '*.so'"
    found = shell(aws, image, rf"cd /var/task && find lambda_src -type f -not \( {compiled} \)")
    served = {
        "__init__.py",
        "environment_settings.py",
        "metrics.py",
        "model_signature.py",
        "tagger",
        "api",
    }
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "lambda_src").rglob("*")
        if path.is_file()
        and path.relative_to(ROOT / "lambda_src").parts[0] in served
        and path.suffix not in (".pyc", ".so")
        and not path.name.startswith(("requirements", "Dockerfile"))
    }
    assert set(found) == ours


def test_it_contains_no_build_or_test_tools(aws: LocalAws, image: str) -> None:
    script = (
        "for module in pip setuptools pytest sklearn scipy joblib pandas mlflow moto ziglang; do "
        'python3 -c "import $module" 2>/dev/null && echo $module; done; '
        "for program in gcc make git uv pip pip3; do command -v $program; done; true"
    )
    assert shell(aws, image, script) == []


def test_it_ranks_with_the_kernel(aws: LocalAws, image: str) -> None:
    program = "from lambda_src.tagger.kernel import load_library; print(load_library())"
    (loaded,) = shell(aws, image, f"cd /var/task && python3 -c '{program}'")
    assert "/kernel-" in loaded


def test_all_modules_have_bytecode(aws: LocalAws, image: str) -> None:
    # Some packages contain templates that end in .py but cannot be compiled.
    script = (
        "cd /var/task && find . -name '*.py' | while read file; do "
        'compiled="$(dirname $file)/__pycache__/$(basename $file .py).cpython-313.pyc"; '
        "[ -f $compiled ] || echo $file; done"
    )
    assert shell(aws, image, script) == []


@pytest.mark.parametrize("user", ["0:0", "993:990", "12345:54321"])
def test_it_serves_as_any_user_on_a_read_only_file_system(
    aws: LocalAws, image: str, user: str
) -> None:
    variables = ("--env", f"ETIQUETTE_MODEL={MODEL}", "--env", f"ETIQUETTE_MODEL_SHA256={DIGEST}")
    with running(aws, image, "--user", user, *MOUNT, *variables) as function:
        question = json.dumps({"text": "How do I merge two dictionaries in Python?"})
        answer = json.loads(function.invoke(gateway_event("POST", "/predict", question)).body)
        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["predicted_tags"][0] == "python"


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({}, "ETIQUETTE_MODEL is not set"),
        ({"ETIQUETTE_MODEL": "/opt/model/absent.safetensors"}, "absent.safetensors"),
        ({"ETIQUETTE_MODEL": MODEL, "ETIQUETTE_MODEL_SHA256": "0" * 64}, DIGEST),
        ({"ETIQUETTE_MODEL": MODEL, "ETIQUETTE_MODLE": "x"}, "ETIQUETTE_MODLE is not a setting"),
    ],
)
def test_a_missing_or_wrong_model_stops_the_start_with_one_line(
    aws: LocalAws, image: str, variables: dict[str, str], complaint: str
) -> None:
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    with running(aws, image, *MOUNT, *options) as function:
        answer = function.invoke(HEALTH)
        assert (answer.status, answer.body) == (502, b"")
        (line, *_) = [each for each in function.output().splitlines() if "cannot start" in each]
        assert complaint in line
        assert "Traceback" not in function.output()
