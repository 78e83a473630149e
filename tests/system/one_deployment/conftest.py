"""The deployment, in the states that its tests go through."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from scripts.emulator.account import client
from scripts.emulator.deployment import Deployment, deploy
from scripts.emulator.local_aws import LocalAws
from tests.support.paths import STARTER
from tests.system.facts import Release

SECOND_VERSION = "2000.01.01-second"


@pytest.fixture(scope="session")
def first_release(aws: LocalAws) -> Release:
    """The first deployment, into the empty account."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def repeated_release(aws: LocalAws, first_release: Release) -> Release:
    """A second deployment of the same model."""
    return Release.read(deploy(aws))


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter bundle with another version, and therefore another digest."""
    path = tmp_path_factory.mktemp("models") / "second.safetensors"
    return another_version(STARTER, path, SECOND_VERSION)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(deployment: Deployment, path: str, body: Any = None) -> Any:
    """Return the JSON that the API answers."""
    answer = deployment.call(path, body=body)
    assert answer.status == 200, answer
    return json.loads(answer.body)


@contextmanager
def without_access_to_the_model(release: Release) -> Iterator[None]:
    """Take the permission to read the model from the function's role; the emulator enforces it."""
    aws = release.deployment.aws
    iam = client(aws, "iam")
    role = client(aws, "lambda").get_function(FunctionName=release.function)["Configuration"]
    permission = {"RoleName": role["Role"].rpartition("/")[2], "PolicyName": "ReadModel"}
    document = iam.get_role_policy(**permission)["PolicyDocument"]
    iam.delete_role_policy(**permission)
    aws.forget_warm_containers()
    try:
        yield
    finally:
        iam.put_role_policy(**permission, PolicyDocument=json.dumps(document))
        aws.forget_warm_containers()


def another_version(model: Path, path: Path, version: str) -> Path:
    """Copy a bundle and change its version."""
    with safe_open(model, framework="numpy") as bundle:
        manifest = json.loads(bundle.metadata()["manifest"])
        arrays = {name: bundle.get_tensor(name) for name in bundle.keys()}  # noqa: SIM118
    manifest["version"] = version
    save_file(arrays, path, {"manifest": json.dumps(manifest)})
    return path


@pytest.fixture(scope="session")
def second_release(aws: LocalAws, repeated_release: Release, second_model: Path) -> Release:
    """A deployment of another model after the first."""
    return Release.read(deploy(aws, model=second_model))


@pytest.fixture(scope="session")
def deployment(first_release: Release) -> Deployment:
    """The deployed API, with whatever release is live."""
    return first_release.deployment
