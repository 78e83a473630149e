"""The image of compose.yaml, started with the same options. Compose itself needs Docker."""

import shutil
import time
from pathlib import Path

import pytest
import yaml

from scripts.emulator.base_image import base_image
from scripts.emulator.local_aws import LocalAws
from scripts.shared.containers import INSTANCE_LABEL
from scripts.shared.local_http import fetch
from tests.support.paths import ROOT

LABEL = f"{INSTANCE_LABEL}=compose-under-test"
TAG = "localhost/etiquette/local:tests"


@pytest.fixture
def private_checkout(tmp_path: Path) -> Path:
    """What compose.yaml builds from, as a checkout made under umask 077 has it."""
    for name in ("compose.yaml", "lambda_src", "model_build/starter"):
        target = tmp_path / name
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    for path in tmp_path.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    return tmp_path


def test_the_compose_image_serves_the_starter_model(aws: LocalAws, private_checkout: Path) -> None:
    service = yaml.safe_load((private_checkout / "compose.yaml").read_text())["services"]["api"]
    build = service["build"]
    folder = private_checkout / build["context"]
    # The function's base image replaces Debian's Python image, whose registry may be blocked.
    aws.engine.build(
        folder,
        tag=TAG,
        file=folder / build["dockerfile"],
        target=build["target"],
        contexts={
            name: private_checkout / path for name, path in build["additional_contexts"].items()
        },
        args={"LOCAL_IMAGE": base_image(aws.engine)},
    )
    dockerfile = (folder / build["dockerfile"]).read_text()
    command = yaml.safe_load(dockerfile.split("CMD ")[1].splitlines()[0])
    environment = [f"--env={name}={value}" for name, value in service["environment"].items()]
    network = ["--network", aws.state.network] if aws.state.network else []
    assert service["read_only"]
    identifier = aws.engine.call(
        "run", "--detach", "--label", LABEL, "--read-only", "--cap-drop=ALL", *network,
        "--publish=127.0.0.1::8000", *environment,
        f"--entrypoint={command[0]}", TAG, *command[1:],
    )  # fmt: skip
    try:
        address = aws.engine.call("port", identifier, "8000/tcp").splitlines()[0]
        answer = _first_answer(f"http://{address}/predict", b'{"text": "Python is very cool !"}')
        assert b'"python"' in answer, aws.engine.call("logs", identifier, with_errors=True)
    finally:
        aws.engine.remove_containers(LABEL)


def _first_answer(url: str, body: bytes) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            return fetch(url, body=body, headers={"content-type": "application/json"}).body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
