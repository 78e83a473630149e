"""The image of compose.yaml, started with the same options. Compose itself needs Docker."""

import time
from pathlib import Path

import yaml

from scripts.emulator.base_image import base_image
from scripts.emulator.local_aws import LocalAws
from scripts.shared.containers import INSTANCE_LABEL
from scripts.shared.local_http import fetch
from tests.support.paths import ROOT

LABEL = f"{INSTANCE_LABEL}=compose-under-test"
TAG = "localhost/etiquette/local:tests"


def test_the_compose_image_serves_the_starter_model(aws: LocalAws) -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["api"]
    build = service["build"]
    # The function's base image replaces Debian's Python image, whose registry may be blocked.
    aws.engine.build(
        ROOT / build["context"],
        tag=TAG,
        file=ROOT / build["context"] / build["dockerfile"],
        target=build["target"],
        args={"LOCAL_IMAGE": base_image(aws.engine)},
    )
    dockerfile = (ROOT / build["context"] / build["dockerfile"]).read_text()
    command = yaml.safe_load(dockerfile.split("CMD ")[1].splitlines()[0])
    environment = [f"--env={name}={value}" for name, value in service["environment"].items()]
    volumes = [f"--volume={_absolute(each)}" for each in service["volumes"]]
    network = ["--network", aws.state.network] if aws.state.network else []
    assert service["read_only"]
    identifier = aws.engine.call(
        "run", "--detach", "--label", LABEL, "--read-only", "--cap-drop=ALL", *network,
        "--publish=127.0.0.1::8000", *environment, *volumes,
        f"--entrypoint={command[0]}", TAG, *command[1:],
    )  # fmt: skip
    try:
        address = aws.engine.call("port", identifier, "8000/tcp").splitlines()[0]
        answer = _first_answer(f"http://{address}/predict", b'{"text": "Python is very cool !"}')
        assert b'"python"' in answer, aws.engine.call("logs", identifier, with_errors=True)
    finally:
        aws.engine.remove_containers(LABEL)


def _absolute(volume: str) -> str:
    host, rest = volume.split(":", 1)
    return f"{Path(ROOT, host).resolve()}:{rest}"


def _first_answer(url: str, body: bytes) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            return fetch(url, body=body, headers={"content-type": "application/json"}).body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
